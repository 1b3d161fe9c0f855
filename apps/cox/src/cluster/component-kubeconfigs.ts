import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';
import { type ClusterPki, kubeconfigYaml, type LeafName } from '@coxswain/pki';
import { writeFileAtomic } from '../process/write-file.js';

const users = {
  'kubelet-client': 'kubelet',
  'kube-proxy': 'kube-proxy',
  scheduler: 'scheduler',
  'controller-manager': 'controller-manager',
  dns: 'dns',
  admin: 'admin',
} as const satisfies Partial<Record<LeafName, string>>;

/** The kubeconfig of a component, as upstream's components take one by `--kubeconfig`. */
export function componentKubeconfig(config: ClusterConfig, component: (typeof users)[keyof typeof users]): string {
  return join(config.paths.state, `${component}.kubeconfig`);
}

/** One kubeconfig a component, so that each runs alone and with rights of its own; rewritten only when it changes. */
export function writeComponentKubeconfigs(config: ClusterConfig, pki: ClusterPki): void {
  const cluster = { server: `https://127.0.0.1:${config.ports.apiServer}`, certificateAuthority: pki.ca.cert };
  for (const [leaf, component] of Object.entries(users) as [keyof typeof users, (typeof users)[keyof typeof users]][]) {
    const { cert, key } = pki.leaf[leaf];
    const text = kubeconfigYaml({ name: `cox-${config.name}`, cluster, user: { clientCertificate: cert, clientKey: key } });
    const file = componentKubeconfig(config, component);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileAtomic(file, text);
  }
}
