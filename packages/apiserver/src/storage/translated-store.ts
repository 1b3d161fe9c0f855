import type { Compare, KeyRange, KeyValue, RangeResult, StateStore, StoreOp, StoreOpResult, WatchEvent } from '@coxswain/sdk';

/** What is said otherwise to a store, and how what it tells is shown. Absent: as it is. */
export interface StoreTranslation {
  /** Of what the store tells. */
  shown(kv: KeyValue): KeyValue;
  /** Of transactions. */
  readonly op: (op: StoreOp) => StoreOp;
  readonly range?: (range: KeyRange) => KeyRange;
  readonly compare?: (compare: Compare) => Compare;
  /** Of what a lease holds. */
  readonly leasedKey?: (key: string) => string;
}

const same = <T>(value: T): T => value;

/** A store seen through a translation, both ways. */
export function translatedStore(store: StateStore, { shown, op, range = same, compare = same, leasedKey = same }: StoreTranslation): StateStore {
  const found = (result: RangeResult): RangeResult => ({ ...result, kvs: result.kvs.map(shown) });
  const result = (each: StoreOpResult): StoreOpResult => {
    switch (each.type) {
      case 'range':
        return { type: 'range', result: found(each.result) };
      case 'put':
        return each.prevKv ? { type: 'put', prevKv: shown(each.prevKv) } : each;
      case 'delete':
        return each.prevKvs ? { ...each, prevKvs: each.prevKvs.map(shown) } : each;
    }
  };
  const event = (each: WatchEvent): WatchEvent => ({ ...each, kv: shown(each.kv), ...(each.prevKv ? { prevKv: shown(each.prevKv) } : {}) });
  const changed: Pick<StateStore, 'range' | 'txn' | 'watch' | 'leaseStatus'> = {
    range: async (asked, ...rest) => found(await store.range(range(asked), ...rest)),
    async txn({ compare: conditions, success, failure, ...rest }, signal) {
      const txn = { ...rest, compare: conditions.map(compare), success: success.map(op), ...(failure ? { failure: failure.map(op) } : {}) };
      const answer = await store.txn(txn, signal);
      return { ...answer, results: answer.results.map(result) };
    },
    async *watch(request, signal) {
      for await (const batch of store.watch({ ...request, range: range(request.range) }, signal)) yield { ...batch, events: batch.events.map(event) };
    },
    async leaseStatus(id) {
      const status = await store.leaseStatus(id);
      return { ...status, keys: status.keys.map(leasedKey) };
    },
  };
  // Everything else goes to the store itself, with itself as `this`.
  return new Proxy(store, {
    get(target, name) {
      if (name in changed) return changed[name as keyof typeof changed];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
