import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';
import type { ProcessIdentity } from '@coxswain/linux';
import { readPidFile } from '../process/pid-file.js';
import { runtimeOf } from '../runtimes/registry.js';

/** The processes every cluster has; its runtime may bring daemons. */
export const ownRoles = ['control-plane', 'node'] as const;
export type OwnRole = (typeof ownRoles)[number];

/** The long-running processes of a cluster, in the order they start. */
export function rolesOf(config: ClusterConfig): readonly string[] {
  return [...runtimeOf(config).daemons.map(({ name }) => name), ...ownRoles];
}

export function pidFile(config: ClusterConfig, role: string): string {
  return join(config.paths.run, `${role}.pid`);
}

export function logFile(config: ClusterConfig, role: string): string {
  const daemon = runtimeOf(config).daemons.find(({ name }) => name === role);
  return daemon ? daemon.logFile(config) : join(config.paths.logs, `${role}.log`);
}

/** What of the cluster runs. */
export function runningRoles(config: ClusterConfig): Map<string, ProcessIdentity> {
  const running = new Map<string, ProcessIdentity>();
  for (const role of rolesOf(config)) {
    const process = readPidFile(pidFile(config, role));
    if (process) running.set(role, process);
  }
  return running;
}
