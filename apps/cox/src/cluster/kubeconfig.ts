import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';
import { defaultKubeconfigPath, type KubeconfigEntry, KubeconfigError, mergeKubeconfigFile, removeFromKubeconfigFile } from '@coxswain/pki';
import { CliError } from '@coxswain/command';

/** The administrator's way in, from the cluster's PKI folder. */
export function adminEntry(config: ClusterConfig): KubeconfigEntry {
  const read = (file: string) => readFileSync(join(config.paths.pki, file), 'utf8');
  return {
    name: contextName(config),
    cluster: { server: `https://127.0.0.1:${config.ports.apiServer}`, certificateAuthority: read('ca.crt') },
    user: { clientCertificate: read('admin.crt'), clientKey: read('admin.key') },
  };
}

export function contextName(config: ClusterConfig): string {
  return `cox-${config.name}`;
}

/** Merge the cluster into the user's kubeconfig and make it current; returns the file. */
export function mergeKubeconfig(config: ClusterConfig): string {
  const file = defaultKubeconfigPath();
  try {
    mergeKubeconfigFile(file, adminEntry(config));
  } catch (error) {
    if (error instanceof KubeconfigError)
      throw new CliError(error.message, `the cluster runs; print its kubeconfig with: cox kubeconfig --name ${config.name}`);
    throw error;
  }
  return file;
}

export function unmergeKubeconfig(config: ClusterConfig): void {
  try {
    removeFromKubeconfigFile(defaultKubeconfigPath(), contextName(config));
  } catch (error) {
    if (error instanceof KubeconfigError) throw new CliError(error.message, `remove the context ${contextName(config)} by hand`);
    throw error;
  }
}
