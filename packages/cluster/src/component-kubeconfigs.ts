import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClusterPki, type KeyPairPem, type KubeconfigEntry, kubeconfigYaml, type LeafName, type NodeLeafName, type NodePki } from '@coxswain/pki';
import { apiServerUrl } from './api-access.js';
import type { ClusterConfig } from './cluster-spec.js';

const nodeUsers = {
  'kubelet-client': 'kubelet',
  'kube-proxy': 'kube-proxy',
  dns: 'dns',
  sdn: 'sdn',
  logging: 'logging',
  'network-policy': 'network-policy',
} as const satisfies Partial<Record<NodeLeafName, string>>;

const users = {
  ...nodeUsers,
  scheduler: 'scheduler',
  'controller-manager': 'controller-manager',
  'metrics-server': 'metrics-server',
  admin: 'admin',
} as const satisfies Partial<Record<LeafName, string>>;

export type KubeconfigUserName = (typeof users)[keyof typeof users];

/** The kubeconfig of a component, as upstream's components take one by `--kubeconfig`. */
export function componentKubeconfig(config: ClusterConfig, component: KubeconfigUserName): string {
  return join(config.paths.state, `${component}.kubeconfig`);
}

/** The administrator's way in, under the context `cox-<cluster>`. */
export function adminEntry(config: ClusterConfig, pki: ClusterPki): KubeconfigEntry {
  return entryFor(config, pki.ca.cert, pki.leaf.admin);
}

/** One kubeconfig a component, so that each runs alone and with rights of its own; rewritten only when it changes. */
export function writeComponentKubeconfigs(config: ClusterConfig, pki: ClusterPki): void {
  writeKubeconfigs(config, pki.ca.cert, pki.leaf, users);
}

/** Those of a node without control plane. */
export function writeNodeKubeconfigs(config: ClusterConfig, pki: NodePki): void {
  writeKubeconfigs(config, pki.ca.cert, pki.leaf, nodeUsers);
}

function writeKubeconfigs<Leaf extends LeafName>(
  config: ClusterConfig,
  ca: string,
  leaves: Readonly<Record<Leaf, KeyPairPem>>,
  components: Readonly<Record<Leaf & keyof typeof users, KubeconfigUserName>>,
): void {
  for (const [leaf, component] of Object.entries(components) as [Leaf, KubeconfigUserName][]) {
    const text = kubeconfigYaml(entryFor(config, ca, leaves[leaf]));
    const file = componentKubeconfig(config, component);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeWhole(file, text);
  }
}

function entryFor(config: ClusterConfig, ca: string, { cert, key }: KeyPairPem): KubeconfigEntry {
  return {
    name: `cox-${config.name}`,
    cluster: { server: apiServerUrl(config), certificateAuthority: ca },
    user: { clientCertificate: cert, clientKey: key },
  };
}

function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
}
