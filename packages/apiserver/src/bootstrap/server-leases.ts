import { LeaseNotFoundError, prefixRange, type LeaseId, type StateStore } from '@coxswain/sdk';

const PREFIX = '/registry/masterleases/';
const TTL_SECONDS = 15;

/**
 * Which API servers there are: each keeps a key named after its address, under a lease that it renews. One that dies is forgotten when
 * its lease runs out. Keys and times as upstream's, so that servers of both kinds see each other.
 */
export class ServerLeases {
  #lease: LeaseId = 0;

  constructor(
    private readonly store: StateStore,
    private readonly address: string,
  ) {}

  /** Says that this server is there; returns the addresses of all that are, sorted. */
  async renew(): Promise<readonly string[]> {
    await this.#hold();
    const { kvs } = await this.store.range(prefixRange(PREFIX), { keysOnly: true });
    return kvs.map(({ key }) => key.slice(PREFIX.length)).sort();
  }

  async #hold(): Promise<void> {
    if (this.#lease !== 0) {
      try {
        await this.store.leaseKeepAlive(this.#lease);
        return;
      } catch (error) {
        if (!(error instanceof LeaseNotFoundError)) throw error;
      }
    }
    const { id } = await this.store.leaseGrant(TTL_SECONDS);
    const value = Buffer.from(JSON.stringify({ kind: 'Endpoints', apiVersion: 'v1', metadata: {}, subsets: [{ addresses: [{ ip: this.address }] }] }));
    await this.store.txn({ compare: [], success: [{ type: 'put', key: `${PREFIX}${this.address}`, value, lease: id }] });
    this.#lease = id;
  }

  /** This server goes: nobody has to wait for its lease to run out. */
  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = 0;
    if (lease !== 0) await this.store.leaseRevoke(lease);
  }
}
