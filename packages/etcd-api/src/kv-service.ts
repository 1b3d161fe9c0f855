import { EtcdError } from './etcd-errors.js';
import type { KV, PutRequest } from './generated/etcdserverpb/rpc_pb.js';
import type { Handlers } from './grpc-server.js';
import { toKey, toKeyRange } from './key-codec.js';
import { toNumber } from './numbers.js';
import type { ServiceContext } from './service-context.js';
import { toEtcdKeyValue, toRangeOptions, toRangeResponse, toResponseOp, toStoreCompare, toStoreOp } from './translate.js';

/** Ranges, puts, deletes, transactions and compaction. */
export function kvService({ store, header, revision }: ServiceContext): Handlers<typeof KV> {
  /** A put that keeps the value or the lease there is: read, then write if nobody was quicker. */
  async function putKeeping(request: PutRequest) {
    if (request.ignoreValue && request.value.length > 0) throw new EtcdError('valueProvided');
    if (request.ignoreLease && request.lease !== 0n) throw new EtcdError('leaseProvided');
    const key = toKey(request.key);
    for (;;) {
      const old = (await store.range({ key })).kvs[0];
      if (!old) throw new EtcdError('keyNotFound');
      const { succeeded, revision, results } = await store.txn({
        compare: [{ key, target: 'mod', op: '=', operand: old.modRevision }],
        success: [
          {
            type: 'put',
            key,
            value: request.ignoreValue ? old.value : request.value,
            lease: request.ignoreLease ? old.lease : toNumber(request.lease, 'lease'),
            prevKv: request.prevKv,
          },
        ],
      });
      if (succeeded) return { revision, results };
    }
  }

  return {
    async range(request, { signal }) {
      const result = await store.range(toKeyRange(request.key, request.rangeEnd), toRangeOptions(request), signal);
      return { header: header(result.revision), ...toRangeResponse(request, result) };
    },

    async put(request) {
      const op = { type: 'put', key: toKey(request.key), value: request.value, lease: toNumber(request.lease, 'lease'), prevKv: request.prevKv } as const;
      const keeping = request.ignoreValue || request.ignoreLease;
      const { revision, results } = keeping ? await putKeeping(request) : await store.txn({ compare: [], success: [op] });
      const [result] = results;
      return { header: header(revision), ...(result?.type === 'put' && result.prevKv ? { prevKv: toEtcdKeyValue(result.prevKv) } : {}) };
    },

    async deleteRange(request) {
      const range = toKeyRange(request.key, request.rangeEnd);
      const { revision, results } = await store.txn({ compare: [], success: [{ type: 'delete', range, prevKv: request.prevKv }] });
      const [result] = results;
      if (result?.type !== 'delete') throw new TypeError('the store answered a delete with something else');
      return { header: header(revision), deleted: BigInt(result.deleted), prevKvs: (result.prevKvs ?? []).map(toEtcdKeyValue) };
    },

    async txn(request) {
      const txn = { compare: request.compare.map(toStoreCompare), success: request.success.map(toStoreOp), failure: request.failure.map(toStoreOp) };
      const { succeeded, revision, results } = await store.txn(txn);
      const ran = succeeded ? request.success : request.failure;
      const responses = results.map((result, i) => toResponseOp(ran[i] as (typeof ran)[number], result, header(revision)));
      return { header: header(revision), succeeded, responses };
    },

    async compact(request) {
      await store.compact(toNumber(request.revision, 'revision'));
      return { header: header(await revision()) };
    },
  };
}
