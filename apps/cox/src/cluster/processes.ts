import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';
import type { ProcessIdentity } from '@coxswain/linux';
import { readPidFile } from '../process/pid-file.js';

/** The long-running processes of a cluster, in the order they start. */
export const roles = ['containerd', 'control-plane', 'node'] as const;
export type Role = (typeof roles)[number];

export function pidFile(config: ClusterConfig, role: Role): string {
  return join(config.paths.run, `${role}.pid`);
}

export function logFile(config: ClusterConfig, role: Role): string {
  // containerd keeps its log in its own root.
  return role === 'containerd' ? join(config.paths.containerdRoot, 'containerd.log') : join(config.paths.logs, `${role}.log`);
}

/** What of the cluster runs. */
export function runningRoles(config: ClusterConfig): Map<Role, ProcessIdentity> {
  const running = new Map<Role, ProcessIdentity>();
  for (const role of roles) {
    const process = readPidFile(pidFile(config, role));
    if (process) running.set(role, process);
  }
  return running;
}
