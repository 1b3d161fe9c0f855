import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClusterPki, type KubeconfigEntry, kubeconfigYaml, type LeafName } from '@coxswain/pki';
import { apiServerUrl } from './api-access.js';
import type { ClusterConfig } from './cluster-spec.js';

const users = {
  'kubelet-client': 'kubelet',
  'kube-proxy': 'kube-proxy',
  scheduler: 'scheduler',
  'controller-manager': 'controller-manager',
  dns: 'dns',
  admin: 'admin',
} as const satisfies Partial<Record<LeafName, string>>;

export type KubeconfigUserName = (typeof users)[keyof typeof users];

/** The kubeconfig of a component, as upstream's components take one by `--kubeconfig`. */
export function componentKubeconfig(config: ClusterConfig, component: KubeconfigUserName): string {
  return join(config.paths.state, `${component}.kubeconfig`);
}

/** The administrator's way in, under the context `cox-<cluster>`. */
export function adminEntry(config: ClusterConfig, pki: ClusterPki): KubeconfigEntry {
  return entryFor(config, pki, 'admin');
}

/** One kubeconfig a component, so that each runs alone and with rights of its own; rewritten only when it changes. */
export function writeComponentKubeconfigs(config: ClusterConfig, pki: ClusterPki): void {
  for (const [leaf, component] of Object.entries(users) as [keyof typeof users, KubeconfigUserName][]) {
    const text = kubeconfigYaml(entryFor(config, pki, leaf));
    const file = componentKubeconfig(config, component);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeWhole(file, text);
  }
}

function entryFor(config: ClusterConfig, pki: ClusterPki, leaf: LeafName): KubeconfigEntry {
  const { cert, key } = pki.leaf[leaf];
  return {
    name: `cox-${config.name}`,
    cluster: { server: apiServerUrl(config), certificateAuthority: pki.ca.cert },
    user: { clientCertificate: cert, clientKey: key },
  };
}

function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
}
