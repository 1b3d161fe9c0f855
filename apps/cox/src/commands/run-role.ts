import { type ClusterConfig, clusterPki, hostView } from '@coxswain/cluster';
import type { Host } from '@coxswain/host';
import { readNodePki } from '@coxswain/pki';
import type { Logger } from '@coxswain/sdk';
import { CliError, describeError, type LogLevel } from '@coxswain/command';
import { requireCluster } from '../cluster/clusters.js';
import type { OwnRole } from '../cluster/own-roles.js';
import { createLogger } from '@coxswain/command/run';
import { supervisionOf } from '../cluster/processes.js';
import { progressReporter } from '../process/progress.js';
import { runtimeOf } from '../runtimes/registry.js';
import { keepSupervisors } from '../supervise/keep-supervisors.js';
import { markReady } from '../supervise/supervision.js';

interface RunRoleOptions {
  readonly name: string;
  readonly host?: string;
  readonly logLevel: LogLevel;
}

/** A long-running process of a cluster, as `cox up` starts it: runs until SIGTERM, or until one of its components fails for good. */
export async function runRole(role: OwnRole, options: RunRoleOptions): Promise<void> {
  const report = progressReporter();
  const logger = createLogger(options.logLevel, role);
  const starting = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  void stopped.then((signal) => starting.abort(new Error(`stopped by ${signal}`)));
  process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { err: error }));
  try {
    const view = viewOf(options);
    const host = await compose(role, view, logger, (text) => void report({ type: 'step', text }));
    await host.start(starting.signal);
    markReady(supervisionOf(view, role));
    void report({ type: 'ready' });
    keepSupervisors([role, ...companions(view, role)].map((each) => supervisionOf(view, each)));
    logger.info('ready');
    const failed = new Promise<string>((resolve) => {
      host.state$.subscribe((state) => {
        for (const [name, { phase, message }] of Object.entries(state)) if (phase === 'failed') resolve(`${name} failed: ${message ?? 'no reason given'}`);
      });
    });
    // The event loop must not run empty: timers of components do not hold it.
    const alive = setInterval(() => {}, 1 << 30);
    const why = await Promise.race([stopped, failed]);
    clearInterval(alive);
    logger.info('stopping', { why });
    await host.stop();
    process.exit(why.startsWith('SIG') ? 0 : 1);
  } catch (error) {
    logger.error('could not start', { err: error });
    await report({ type: 'failed', message: describeError(error) });
    process.exit(1);
  }
}

function viewOf({ name, host }: RunRoleOptions): ClusterConfig {
  const config = requireCluster(name);
  if (host === undefined) return config;
  const found = config.hosts.find((each) => each.name === host);
  if (!found) throw new CliError(`cluster "${name}" has no host "${host}"`);
  return hostView(config, found);
}

/** Those of its host that are not `cox`, and so look after nobody. */
function companions(view: ClusterConfig, role: OwnRole): readonly string[] {
  switch (role) {
    case 'load-balancer':
      return [];
    case 'control-plane':
      return view.etcd?.kind === 'stacked' ? ['etcd'] : [];
    case 'node':
      return runtimeOf(view).daemons.map(({ name }) => name);
  }
}

/** Each with no more of the cluster's keys than it needs. */
async function compose(role: OwnRole, view: ClusterConfig, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  switch (role) {
    case 'load-balancer':
      return (await import('../compose/load-balancer.js')).loadBalancerHost(view, logger);
    case 'control-plane':
      return (await import('../compose/control-plane.js')).controlPlaneHost(view, await clusterPki(view, Date.now()), logger, onStarted);
    case 'node':
      return (await import('../compose/node.js')).nodeHost(view, readNodePki(view.paths.pki), logger, onStarted);
  }
}
