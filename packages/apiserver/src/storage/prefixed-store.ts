import type { Compare, KeyRange, KeyValue, LeaseStatus, RangeResult, StateStore, StoreOp, StoreOpResult, WatchEvent } from '@coxswain/sdk';

const INNER = '/registry';

/** A store whose keys begin with `prefix` (`/other`), shown as if they began with `/registry`. Keys outside of it are not to be asked for. */
export function prefixedStore(store: StateStore, prefix: string): StateStore {
  if (prefix === INNER) return store;
  const out = (key: string): string => prefix + key.slice(INNER.length);
  const back = (key: string): string => INNER + key.slice(prefix.length);
  const outRange = ({ key, end }: KeyRange): KeyRange => ({ key: out(key), ...(end === undefined ? {} : { end: out(end) }) });
  const shown = (kv: KeyValue): KeyValue => ({ ...kv, key: back(kv.key) });
  const range = (result: RangeResult): RangeResult => ({ ...result, kvs: result.kvs.map(shown) });
  const compare = (each: Compare): Compare => ({ ...each, key: out(each.key) });
  const op = (each: StoreOp): StoreOp => (each.type === 'put' ? { ...each, key: out(each.key) } : { ...each, range: outRange(each.range) });
  const result = (each: StoreOpResult): StoreOpResult => {
    switch (each.type) {
      case 'range':
        return { type: 'range', result: range(each.result) };
      case 'put':
        return each.prevKv ? { type: 'put', prevKv: shown(each.prevKv) } : each;
      case 'delete':
        return each.prevKvs ? { ...each, prevKvs: each.prevKvs.map(shown) } : each;
    }
  };
  const event = (each: WatchEvent): WatchEvent => ({ ...each, kv: shown(each.kv), ...(each.prevKv ? { prevKv: shown(each.prevKv) } : {}) });
  const changed: Pick<StateStore, 'range' | 'txn' | 'watch' | 'leaseStatus'> = {
    range: async (asked, ...rest) => range(await store.range(outRange(asked), ...rest)),
    async txn({ compare: conditions, success, failure }, signal) {
      const txn = { compare: conditions.map(compare), success: success.map(op), ...(failure ? { failure: failure.map(op) } : {}) };
      const answer = await store.txn(txn, signal);
      return { ...answer, results: answer.results.map(result) };
    },
    async *watch(request, signal) {
      for await (const batch of store.watch({ ...request, range: outRange(request.range) }, signal)) yield { ...batch, events: batch.events.map(event) };
    },
    async leaseStatus(id): Promise<LeaseStatus> {
      const status = await store.leaseStatus(id);
      return { ...status, keys: status.keys.map(back) };
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
