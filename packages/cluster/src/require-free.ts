import { createServer } from 'node:net';
import type { ClusterConfig, ClusterPorts } from './cluster-spec.js';

/** Somebody else, most likely a cluster of the same index, has what this one needs. Nothing has been touched. */
export class ClusterConflictError extends Error {
  override readonly name = 'ClusterConflictError';
}

const whose: Partial<Record<keyof ClusterPorts, string>> = {
  apiServer: 'API server',
  kubelet: 'kubelet',
  scheduler: 'scheduler',
  controllerManager: 'controller manager',
  proxyHealth: 'proxy health',
  dns: 'cluster DNS',
};

/**
 * Rejects with `ClusterConflictError` when a port of the cluster is in use. Clusters of one index share ports, bridge and networks,
 * so this has to hold before anything is made, or removed.
 */
export async function requireFreePorts(config: ClusterConfig): Promise<void> {
  const taken: string[] = [];
  for (const [key, what] of Object.entries(whose) as [keyof ClusterPorts, string][]) {
    const port = config.ports[key];
    if (!(await isFree(port))) taken.push(`port ${port}, wanted for the ${what}, is in use`);
  }
  if (taken.length > 0) throw new ClusterConflictError(`${taken.join('; ')}; give cluster "${config.name}" another index than ${config.index}, or other ports`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
