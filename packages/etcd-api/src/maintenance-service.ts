import { createHash } from 'node:crypto';
import { AlarmRequest_AlarmAction as Action, AlarmType, type Cluster, type Maintenance } from './generated/etcdserverpb/rpc_pb.js';
import type { Handlers } from './grpc-server.js';
import { MEMBER_ID, type ServiceContext } from './service-context.js';

/**
 * The version we say we are. Not a newer one: from 3.5.8 on, clients rely on an answer to a progress request coming at once, which a
 * store that only promises progress "now and then" cannot give.
 */
export const ETCD_VERSION = '3.5.0';

/** Status, alarms, defragmentation and snapshots. */
export function maintenanceService({ store, header, revision }: ServiceContext): Handlers<typeof Maintenance> {
  return {
    async status() {
      const { revision, sizeBytes, healthy, message } = await store.status();
      return {
        header: header(revision),
        version: ETCD_VERSION,
        dbSize: BigInt(sizeBytes),
        dbSizeInUse: BigInt(sizeBytes),
        leader: MEMBER_ID,
        // There is no log of proposals; each revision is one.
        raftIndex: BigInt(revision),
        raftAppliedIndex: BigInt(revision),
        raftTerm: 1n,
        errors: healthy ? [] : [message ?? 'the store is not healthy'],
      };
    },

    async alarm({ action }) {
      const { revision, healthy } = await store.status();
      // The store's own alarm clears itself with the first write that succeeds; there is none to set or disarm.
      const raised = action === Action.GET && !healthy ? [{ memberID: MEMBER_ID, alarm: AlarmType.NOSPACE }] : [];
      return { header: header(revision), alarms: raised };
    },

    async defragment() {
      await store.defragment();
      return { header: header(await revision()) };
    },

    /** The store's own copy, then its SHA-256 in 32 bytes, as clients expect at the end of a snapshot. */
    async *snapshot(_request, { signal }) {
      const { sizeBytes, revision } = await store.status();
      const hash = createHash('sha256');
      let left = BigInt(sizeBytes);
      for await (const blob of store.snapshot(signal)) {
        hash.update(blob);
        left = left > BigInt(blob.length) ? left - BigInt(blob.length) : 0n;
        yield { header: header(revision), blob, remainingBytes: left + 32n };
      }
      yield { header: header(revision), blob: hash.digest(), remainingBytes: 0n };
    },
  };
}

/** The cluster of one. */
export function clusterService(context: ServiceContext): Handlers<typeof Cluster> {
  return {
    async memberList() {
      const members = [{ ID: MEMBER_ID, name: 'coxswain', peerURLs: [], clientURLs: [context.endpoint] }];
      return { header: context.header(await context.revision()), members };
    },
  };
}
