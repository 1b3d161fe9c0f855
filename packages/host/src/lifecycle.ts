import type { Clock, Component, Logger } from '@coxswain/sdk';
import { ComponentError } from './host-error.js';

export interface StartedComponent {
  readonly component: Component;
  readonly startedInMs: number;
}

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onStarted?: (started: StartedComponent) => void;
}

/**
 * Start level by level, the components of a level side by side. When one fails, the rest of its level is awaited, everything that
 * started is stopped in reverse, and one AggregateError tells all that went wrong.
 */
export async function startInOrder(
  levels: readonly (readonly Component[])[],
  signal: AbortSignal,
  options: LifecycleOptions,
  stopDeadlineMs: number,
): Promise<Component[]> {
  const started: Component[] = [];
  for (const level of levels) {
    const outcomes = await Promise.allSettled(level.map((component) => startOne(component, signal, options)));
    const failures: unknown[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      const component = level[i];
      if (outcome.status === 'fulfilled' && component) started.push(component);
      else if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    if (failures.length > 0) {
      const stopFailures = await stopInReverse(started, stopDeadlineMs, options);
      const all = [...failures, ...stopFailures];
      throw new AggregateError(all, all.map((e) => (e as Error).message).join('; '));
    }
  }
  return started;
}

async function startOne(component: Component, signal: AbortSignal, { clock, logger, onStarted }: LifecycleOptions): Promise<void> {
  const begun = clock.monotonic();
  try {
    signal.throwIfAborted();
    await component.start(signal);
  } catch (error) {
    throw new ComponentError(component.name, 'start', error);
  }
  const startedInMs = clock.monotonic() - begun;
  logger.debug('component started', { component: component.name, ms: Math.round(startedInMs) });
  onStarted?.({ component, startedInMs });
}

/** Stop in reverse order of start under one deadline; failures are collected, never thrown, so that everybody gets their turn. */
export async function stopInReverse(started: readonly Component[], deadlineMs: number, { clock, logger }: LifecycleOptions): Promise<ComponentError[]> {
  const deadline = new AbortController();
  const cancel = clock.setTimeout(() => deadline.abort(new Error(`did not stop within ${deadlineMs} ms`)), deadlineMs);
  const late = rejectOnAbort(deadline.signal);
  late.catch(() => {});
  const failures: ComponentError[] = [];
  for (const component of [...started].reverse()) {
    try {
      await Promise.race([component.stop(deadline.signal), late]);
    } catch (error) {
      logger.warn('component did not stop cleanly', { component: component.name, err: error });
      failures.push(new ComponentError(component.name, 'stop', error));
    }
  }
  cancel();
  return failures;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
