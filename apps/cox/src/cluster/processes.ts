import { join } from 'node:path';
import { type ClusterConfig, isControlPlane, nodeViews } from '@coxswain/cluster';
import type { ProcessIdentity } from '@coxswain/linux';
import { readPidFile } from '../process/pid-file.js';
import { runtimeOf } from '../runtimes/registry.js';
import type { Supervision } from '../supervise/supervision.js';

/** Those who have processes: the cluster as a whole when it has hosts, and each node. The order is that of starting. */
export function viewsOf(config: ClusterConfig): readonly ClusterConfig[] {
  return config.hosts.length === 0 ? [config] : [config, ...nodeViews(config)];
}

/** The long-running processes of a view, in the order they start. */
export function rolesOf(view: ClusterConfig): readonly string[] {
  // The cluster as a whole has only what stands in front of its hosts.
  if (view.hosts.length > 0 && !view.host) return ['load-balancer'];
  const controlPlane = isControlPlane(view) ? [...(view.etcd?.kind === 'stacked' ? ['etcd'] : []), 'control-plane'] : [];
  return [...runtimeOf(view).daemons.map(({ name }) => name), ...controlPlane, 'node'];
}

export interface ClusterProcess {
  readonly view: ClusterConfig;
  readonly role: string;
  /** `node`, or `node-2/node` on a host. */
  readonly name: string;
}

/** Every long-running process a cluster has when it is up. */
export function processesOf(config: ClusterConfig): ClusterProcess[] {
  return viewsOf(config).flatMap((view) => rolesOf(view).map((role) => ({ view, role, name: view.host ? `${view.host.name}/${role}` : role })));
}

export function pidFile(view: ClusterConfig, role: string): string {
  return join(view.paths.run, `${role}.pid`);
}

export function logFile(view: ClusterConfig, role: string): string {
  const daemon = runtimeOf(view).daemons.find(({ name }) => name === role);
  return daemon ? daemon.logFile(view) : join(view.paths.logs, `${role}.log`);
}

/** What supervises a process, when it was started by `cox up`. */
export function supervisionOf(view: ClusterConfig, role: string): Supervision {
  return {
    name: view.host ? `${view.host.name}/${role}` : role,
    folder: join(view.paths.run, 'supervised', role),
    pidFile: pidFile(view, role),
    logFile: logFile(view, role),
  };
}

/** The process, when it runs. */
export function running(view: ClusterConfig, role: string): ProcessIdentity | undefined {
  return readPidFile(pidFile(view, role));
}
