import type { Clock, Random } from '@coxswain/sdk';
import type { Containerd } from '../containerd/client.js';

const LEASE_HOURS = 24;

/** Run under a lease that keeps what is made from the garbage collector, then let go. A crash leaves it to expire. */
export async function withLease<T>(
  containerd: Containerd,
  deps: { readonly clock: Pick<Clock, 'now'>; readonly random: Pick<Random, 'uuid'> },
  run: (lease: string) => Promise<T>,
): Promise<T> {
  const id = `coxswain-${deps.random.uuid()}`;
  const expire = new Date(deps.clock.now() + LEASE_HOURS * 3_600_000).toISOString();
  await containerd.leases.create({ id, labels: { 'containerd.io/gc.expire': expire } });
  try {
    return await run(id);
  } finally {
    await containerd.leases.delete({ id }).catch(() => {});
  }
}
