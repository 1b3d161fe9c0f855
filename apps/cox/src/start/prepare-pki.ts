import { mkdirSync } from 'node:fs';
import { type ClusterConfig, clusterPki, prepareHostPki, writeComponentKubeconfigs } from '@coxswain/cluster';
import { PkiError } from '@coxswain/pki';
import { CliError } from '@coxswain/command';

/** Certificates and kubeconfigs: the cluster's, and those of the nodes of `views` that are hosts. */
export async function preparePki(config: ClusterConfig, views: readonly ClusterConfig[]): Promise<void> {
  mkdirSync(config.paths.run, { recursive: true, mode: 0o711 });
  try {
    const now = Date.now();
    const pki = await clusterPki(config, now);
    writeComponentKubeconfigs(config, pki);
    for (const view of views) if (view.host) await prepareHostPki(config, view, pki, now);
  } catch (error) {
    if (error instanceof PkiError) throw new CliError(error.message);
    throw error;
  }
}
