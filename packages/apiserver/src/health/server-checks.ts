import type { Clock, StateStore } from '@coxswain/sdk';
import type { HealthChecks } from './health-paths.js';

export interface ServerChecksOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  /** How long the store may take to answer. */
  readonly readyCheckTimeoutMs: number;
  /** What ended the watch on the store. */
  readonly feedFailure: () => Error | undefined;
  readonly cachesLoaded: () => boolean;
  readonly started: () => boolean;
  readonly stopping: () => boolean;
}

/** An API server's health, under upstream's names. */
export function serverChecks(options: ServerChecksOptions): HealthChecks {
  const livez = [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    { name: 'etcd', check: () => options.feedFailure()?.message },
  ];
  const started = { name: 'poststarthook/bootstrap', check: () => (options.started() ? undefined : 'not finished') };
  const readyz = [
    ...livez,
    { name: 'etcd-readiness', check: () => storeProblem(options) },
    { name: 'informer-sync', check: () => (options.cachesLoaded() ? undefined : 'the caches are not loaded') },
    started,
    { name: 'shutdown', check: () => (options.stopping() ? 'shutting down' : undefined) },
  ];
  return { healthz: [...livez, started], livez, readyz };
}

async function storeProblem({ store, clock, readyCheckTimeoutMs }: ServerChecksOptions): Promise<string | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(readyCheckTimeoutMs, answered.signal).then(
    () => 'the store does not answer in time',
    () => undefined,
  );
  try {
    return await Promise.race([store.status().then(({ message }) => message), late]);
  } finally {
    answered.abort();
  }
}
