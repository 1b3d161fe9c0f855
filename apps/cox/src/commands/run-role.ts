import { clusterPki } from '@coxswain/cluster';
import { describeError } from '../cli-error.js';
import { requireCluster } from '../cluster/clusters.js';
import type { OwnRole } from '../cluster/processes.js';
import { createLogger, type LogLevel } from '../logger.js';
import { progressReporter } from '../process/progress.js';

interface RunRoleOptions {
  readonly name: string;
  readonly logLevel: LogLevel;
}

/** A long-running process of a cluster, as `cox up` starts it: runs until SIGTERM, or until one of its components fails for good. */
export async function runRole(role: OwnRole, options: RunRoleOptions): Promise<void> {
  const report = progressReporter();
  const logger = createLogger(options.logLevel, role);
  const config = requireCluster(options.name);
  const starting = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  void stopped.then((signal) => starting.abort(new Error(`stopped by ${signal}`)));
  process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { err: error }));
  try {
    const pki = await clusterPki(config, Date.now());
    const onStarted = (text: string) => void report({ type: 'step', text });
    const host =
      role === 'control-plane'
        ? await (await import('../compose/control-plane.js')).controlPlaneHost(config, pki, logger, onStarted)
        : await (await import('../compose/node.js')).nodeHost(config, pki, logger, onStarted);
    await host.start(starting.signal);
    void report({ type: 'ready' });
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
