import type { ExternalEtcd } from '@coxswain/cluster';
import { CliError } from '@coxswain/command';
import { InvalidStoreRequestError, StoreUnavailableError, systemClock, systemRandom } from '@coxswain/sdk';

/** Longer than electing a new leader takes. */
const PATIENCE_MS = 10_000;

/**
 * An etcd of somebody else's, asked as its API servers will: its certificates are good, and it has a quorum. `onHosts`: the API servers
 * have networks of their own. Throws a `CliError` that says which endpoint fails, and why.
 */
export async function requireExternalEtcd(etcd: ExternalEtcd, onHosts: boolean): Promise<void> {
  const own = onHosts ? etcd.endpoints.find(isLoopback) : undefined;
  if (own !== undefined) throw new CliError(`--etcd-endpoints ${own} is on loopback, which every host has of its own`, 'name an address that hosts reach', 2);
  const { openEtcdStore } = await import('@coxswain/store-etcd');
  try {
    const store = openEtcdStore({ ...etcd, requestTimeoutMs: PATIENCE_MS, clock: systemClock, random: systemRandom });
    try {
      // A read that every member agrees to: without a quorum nobody answers it.
      await store.range({ key: '/registry/' });
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof InvalidStoreRequestError) throw new CliError(`--etcd-endpoints: ${error.message}`, undefined, 2);
    if (error instanceof StoreUnavailableError)
      throw new CliError(
        `the etcd of --etcd-endpoints ${etcd.endpoints.join()} cannot be used: ${error.message}`,
        'more than half of its members must run, and take the certificate of --etcd-certfile; see: etcdctl endpoint health',
      );
    throw error;
  }
}

function isLoopback(endpoint: string): boolean {
  const { protocol, hostname } = URL.canParse(endpoint) ? new URL(endpoint) : { protocol: '', hostname: '' };
  return protocol !== 'unix:' && (hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.'));
}
