import { LeaseNotFoundError, type LeaseStatus } from '@coxswain/sdk';
import type { Lease } from './generated/etcdserverpb/rpc_pb.js';
import type { Handlers } from './grpc-server.js';
import { toBytes } from './key-codec.js';
import { toNumber } from './numbers.js';
import type { ServiceContext } from './service-context.js';

/** Grant, revoke, keep alive, ask, list. */
export function leaseService({ store, header, revision }: ServiceContext): Handlers<typeof Lease> {
  return {
    async leaseGrant({ TTL, ID }) {
      const { id, grantedTtlSeconds } = await store.leaseGrant(toNumber(TTL, 'TTL'), ID === 0n ? undefined : toNumber(ID, 'lease'));
      return { header: header(await revision()), ID: BigInt(id), TTL: BigInt(grantedTtlSeconds) };
    },

    async leaseRevoke({ ID }) {
      await store.leaseRevoke(toNumber(ID, 'lease'));
      return { header: header(await revision()) };
    },

    async leaseKeepAlive(requests, send) {
      for await (const { ID } of requests) {
        let ttl = 0;
        try {
          ttl = remaining(await store.leaseKeepAlive(toNumber(ID, 'lease')));
        } catch (error) {
          // A lease that is gone is told by a TTL of 0; the stream serves the others on.
          if (!(error instanceof LeaseNotFoundError)) throw error;
        }
        await send({ header: header(await revision()), ID, TTL: BigInt(ttl) });
      }
    },

    async leaseTimeToLive({ ID, keys }) {
      const status = await store.leaseStatus(toNumber(ID, 'lease'));
      return {
        header: header(await revision()),
        ID,
        TTL: BigInt(remaining(status)),
        grantedTTL: BigInt(status.grantedTtlSeconds),
        keys: keys ? status.keys.map(toBytes) : [],
      };
    },

    async leaseLeases() {
      return { header: header(await revision()), leases: (await store.leases()).map((id) => ({ ID: BigInt(id) })) };
    },
  };
}

// A store that rounds seconds up must not seem to have granted more than it did.
const remaining = ({ remainingTtlSeconds, grantedTtlSeconds }: LeaseStatus) =>
  remainingTtlSeconds < 0 ? remainingTtlSeconds : Math.min(remainingTtlSeconds, grantedTtlSeconds);
