import type { Clock, HealthCheck, HealthChecks, StateStore } from '@coxswain/sdk';

export interface ServerChecksOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  /** How long the store may take to answer. */
  readonly readyCheckTimeoutMs: number;
  /** What ended the watch on the store. */
  readonly feedFailure: () => Error | undefined;
  readonly cachesLoaded: () => boolean;
  /** What has to be done at the start. */
  readonly startHooks: readonly HealthCheck[];
  readonly stopping: () => boolean;
}

/** An API server's health, under upstream's names. */
export function serverChecks(options: ServerChecksOptions): HealthChecks {
  const alive = [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    { name: 'etcd', check: () => options.feedFailure()?.message },
  ];
  const readyz = [
    ...alive,
    { name: 'etcd-readiness', check: () => storeProblem(options) },
    { name: 'informer-sync', check: () => (options.cachesLoaded() ? undefined : 'the caches are not loaded') },
    ...options.startHooks,
    { name: 'shutdown', check: () => (options.stopping() ? 'shutting down' : undefined) },
  ];
  const livez = [...alive, ...options.startHooks];
  return { healthz: livez, livez, readyz };
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
