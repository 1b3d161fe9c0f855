import { RpcError } from '@coxswain/cri';
import type { Compare as StoreCompare, KeyValue as StoreKeyValue, RangeOptions, RangeResult, StoreOp, StoreOpResult } from '@coxswain/sdk';
import {
  type Compare,
  Compare_CompareResult as Result,
  type RangeRequest,
  RangeRequest_SortOrder as Order,
  RangeRequest_SortTarget as By,
  type RequestOp,
} from './generated/etcdserverpb/rpc_pb.js';
import { toBytes, toKey, toKeyRange } from './key-codec.js';
import { toNumber } from './numbers.js';

export const toEtcdKeyValue = (kv: StoreKeyValue) => ({
  key: toBytes(kv.key),
  value: kv.value,
  createRevision: BigInt(kv.createRevision),
  modRevision: BigInt(kv.modRevision),
  version: BigInt(kv.version),
  lease: BigInt(kv.lease),
});

const ops = { [Result.EQUAL]: '=', [Result.NOT_EQUAL]: '!=', [Result.LESS]: '<', [Result.GREATER]: '>' } as const;

export function toStoreCompare(compare: Compare): StoreCompare {
  if (compare.rangeEnd.length > 0) throw new RpcError('unimplemented', 'etcdserver: this store compares single keys, not ranges');
  const key = toKey(compare.key);
  const op = ops[compare.result];
  const { case: target, value } = compare.targetUnion;
  switch (target) {
    case 'value':
      return { key, op, target, operand: value };
    case 'version':
      return { key, op, target, operand: toNumber(value, 'version') };
    case 'createRevision':
      return { key, op, target: 'create', operand: toNumber(value, 'revision') };
    case 'modRevision':
      return { key, op, target: 'mod', operand: toNumber(value, 'revision') };
    default:
      throw new RpcError('unimplemented', 'etcdserver: this store compares versions, revisions and values, not leases');
  }
}

/** Whether an answer has to be sorted or filtered here: the store knows only ranges in the order of keys. */
const needsWork = (r: RangeRequest) =>
  (r.sortOrder !== Order.NONE && !(r.sortTarget === By.KEY && r.sortOrder === Order.ASCEND)) ||
  (r.sortTarget !== By.KEY && r.sortOrder !== Order.NONE) ||
  r.minModRevision > 0n ||
  r.maxModRevision > 0n ||
  r.minCreateRevision > 0n ||
  r.maxCreateRevision > 0n;

export function toRangeOptions(request: RangeRequest): RangeOptions {
  const whole = needsWork(request);
  return {
    ...(request.revision > 0n ? { revision: toNumber(request.revision, 'revision') } : {}),
    ...(request.limit > 0n && !whole ? { limit: toNumber(request.limit, 'limit') } : {}),
    // Values are needed to sort by them.
    ...(request.keysOnly && !(whole && request.sortTarget === By.VALUE) ? { keysOnly: true } : {}),
    ...(request.countOnly ? { countOnly: true } : {}),
  };
}

export function toRangeResponse(request: RangeRequest, result: RangeResult) {
  let kvs = [...result.kvs];
  let more = result.more;
  if (needsWork(request) && !request.countOnly) {
    const within = (value: number, min: bigint, max: bigint) => (min === 0n || value >= Number(min)) && (max === 0n || value <= Number(max));
    kvs = kvs.filter(
      (kv) =>
        within(kv.modRevision, request.minModRevision, request.maxModRevision) &&
        within(kv.createRevision, request.minCreateRevision, request.maxCreateRevision),
    );
    if (request.sortOrder !== Order.NONE) kvs.sort(comparator(request));
    const limit = Number(request.limit);
    more = limit > 0 && kvs.length > limit;
    if (more) kvs.length = limit;
  }
  return {
    kvs: kvs.map((kv) => toEtcdKeyValue(request.keysOnly ? { ...kv, value: new Uint8Array(0) } : kv)),
    more,
    count: BigInt(result.count),
  };
}

function comparator(request: RangeRequest): (a: StoreKeyValue, b: StoreKeyValue) => number {
  const sign = request.sortOrder === Order.DESCEND ? -1 : 1;
  switch (request.sortTarget) {
    case By.VERSION:
      return (a, b) => sign * (a.version - b.version);
    case By.CREATE:
      return (a, b) => sign * (a.createRevision - b.createRevision);
    case By.MOD:
      return (a, b) => sign * (a.modRevision - b.modRevision);
    case By.VALUE:
      return (a, b) => sign * Buffer.compare(a.value, b.value);
    default:
      return (a, b) => sign * Buffer.compare(toBytes(a.key), toBytes(b.key));
  }
}

export function toStoreOp({ request }: RequestOp): StoreOp {
  switch (request.case) {
    case 'requestPut': {
      const { key, value, lease, prevKv, ignoreValue, ignoreLease } = request.value;
      if (ignoreValue || ignoreLease) throw new RpcError('unimplemented', 'etcdserver: within a transaction a put must carry its value and its lease');
      return { type: 'put', key: toKey(key), value, lease: toNumber(lease, 'lease'), prevKv };
    }
    case 'requestDeleteRange':
      return { type: 'delete', range: toKeyRange(request.value.key, request.value.rangeEnd), prevKv: request.value.prevKv };
    case 'requestRange':
      return { type: 'range', range: toKeyRange(request.value.key, request.value.rangeEnd), options: toRangeOptions(request.value) };
    case 'requestTxn':
      throw new RpcError('unimplemented', 'etcdserver: this store has no transactions within transactions');
    default:
      throw new RpcError('invalidArgument', 'etcdserver: an operation of the transaction is empty');
  }
}

export function toResponseOp({ request }: RequestOp, result: StoreOpResult, header: { readonly revision: bigint }) {
  switch (result.type) {
    case 'put':
      return { response: { case: 'responsePut', value: { header, ...(result.prevKv ? { prevKv: toEtcdKeyValue(result.prevKv) } : {}) } } } as const;
    case 'delete': {
      const value = { header, deleted: BigInt(result.deleted), prevKvs: (result.prevKvs ?? []).map(toEtcdKeyValue) };
      return { response: { case: 'responseDeleteRange', value } } as const;
    }
    case 'range': {
      if (request.case !== 'requestRange') throw new RpcError('internal', 'the store answered something else with a range');
      return { response: { case: 'responseRange', value: { header, ...toRangeResponse(request.value, result.result) } } } as const;
    }
  }
}
