import {
  type Compare as EtcdCompare,
  Compare_CompareResult as Result,
  type KeyValue as EtcdKeyValue,
  type RangeRequest,
  type RangeResponse,
  type ResponseOp,
  Compare_CompareTarget as Target,
} from '@coxswain/etcd-api';
import type { Compare, KeyRange, KeyValue, RangeOptions, RangeResult, StoreOp, StoreOpResult } from '@coxswain/sdk';
import { InvalidStoreRequestError } from '@coxswain/sdk';
import type { KeySpace } from './key-space.js';
import type { LeaseIds } from './lease-ids.js';

/** A message without what protobuf-es adds, as its constructors take it. */
type Init<T> = Partial<Omit<T, '$typeName' | '$unknown'>>;

const results = { '=': Result.EQUAL, '!=': Result.NOT_EQUAL, '<': Result.LESS, '>': Result.GREATER } as const;
const targets = { mod: Target.MOD, create: Target.CREATE, version: Target.VERSION } as const;
const unions = { mod: 'modRevision', create: 'createRevision', version: 'version' } as const;

/** Between the SDK's words and etcd's messages. */
export class Converter {
  constructor(
    readonly keys: KeySpace,
    readonly leases: LeaseIds,
  ) {}

  rangeRequest(range: KeyRange, options: RangeOptions = {}): Init<RangeRequest> {
    return {
      ...this.keys.toRange(range),
      ...(options.revision === undefined ? {} : { revision: BigInt(options.revision) }),
      ...(options.limit === undefined ? {} : { limit: BigInt(options.limit) }),
      ...(options.keysOnly === true ? { keysOnly: true } : {}),
      ...(options.countOnly === true ? { countOnly: true } : {}),
    };
  }

  rangeResult(response: RangeResponse): RangeResult {
    return {
      kvs: response.kvs.map((kv) => this.keyValue(kv)),
      more: response.more,
      count: Number(response.count),
      revision: Number(response.header?.revision ?? 0n),
    };
  }

  keyValue(kv: EtcdKeyValue): KeyValue {
    return {
      key: this.keys.toKey(kv.key),
      value: kv.value,
      createRevision: Number(kv.createRevision),
      modRevision: Number(kv.modRevision),
      version: Number(kv.version),
      lease: this.leases.fromEtcd(kv.lease),
    };
  }

  compare(compare: Compare): Init<EtcdCompare> {
    const common = { key: this.keys.toBytes(compare.key), result: results[compare.op] };
    if (compare.target === 'value') return { ...common, target: Target.VALUE, targetUnion: { case: 'value', value: compare.operand } };
    return { ...common, target: targets[compare.target], targetUnion: { case: unions[compare.target], value: BigInt(compare.operand) } };
  }

  op(op: StoreOp) {
    switch (op.type) {
      case 'put': {
        const value = { key: this.keys.toBytes(op.key), value: op.value, lease: this.leases.toEtcd(op.lease ?? 0), prevKv: op.prevKv === true };
        return { request: { case: 'requestPut', value } } as const;
      }
      case 'delete':
        return { request: { case: 'requestDeleteRange', value: { ...this.keys.toRange(op.range), prevKv: op.prevKv === true } } } as const;
      case 'range':
        return { request: { case: 'requestRange', value: this.rangeRequest(op.range, op.options) } } as const;
    }
  }

  opResult(op: StoreOp, { response }: ResponseOp): StoreOpResult {
    switch (response.case) {
      case 'responsePut':
        return response.value.prevKv ? { type: 'put', prevKv: this.keyValue(response.value.prevKv) } : { type: 'put' };
      case 'responseDeleteRange': {
        const { deleted, prevKvs } = response.value;
        const base = { type: 'delete', deleted: Number(deleted) } as const;
        return op.type === 'delete' && op.prevKv === true ? { ...base, prevKvs: prevKvs.map((kv) => this.keyValue(kv)) } : base;
      }
      case 'responseRange':
        return { type: 'range', result: this.rangeResult(response.value) };
      default:
        throw new InvalidStoreRequestError(`etcd answered an operation of type ${op.type} with ${response.case ?? 'nothing'}`);
    }
  }
}
