import { createHost, component, type ComponentRecipe } from '@coxswain/host';
import type { Component, PluginUse } from '@coxswain/sdk';
import type { ContainerModule } from 'inversify';
import type { LogLevel } from '../log-level.js';
import { createLogger } from './logger.js';

/** Run components in the foreground until a signal, or until one of them fails. They have `stopDeadlineMs` (default 30 s) to stop. */
export async function runComponents(
  name: string,
  logLevel: LogLevel,
  components: readonly ComponentRecipe[],
  plugins: readonly PluginUse[] = [],
  modules: readonly ContainerModule[] = [],
  stopDeadlineMs?: number,
): Promise<void> {
  const logger = createLogger(logLevel, name);
  const host = await createHost({ components, plugins, modules, logger, ...(stopDeadlineMs === undefined ? {} : { stopDeadlineMs }) });
  const starting = new AbortController();
  const signalled = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  void signalled.then((signal) => starting.abort(new Error(`stopped by ${signal}`)));
  await host.start(starting.signal);
  logger.info('ready');
  const failed = new Promise<Error>((resolve) => {
    host.state$.subscribe((states) => {
      for (const [who, { phase, message }] of Object.entries(states))
        if (phase === 'failed') resolve(new Error(`${who} failed: ${message ?? 'no reason given'}`));
    });
  });
  const alive = setInterval(() => {}, 1 << 30);
  const end = await Promise.race([signalled, failed]);
  clearInterval(alive);
  await host.stop();
  if (end instanceof Error) throw end;
  process.exit(0);
}

/** One component that needs nothing resolved. */
export function only(make: () => Component): ComponentRecipe {
  return component('component', [], make);
}
