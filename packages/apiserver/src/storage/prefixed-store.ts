import type { KeyRange, StateStore } from '@coxswain/sdk';
import { translatedStore } from './translated-store.js';

const INNER = '/registry';

/** A store whose keys begin with `prefix` (`/other`), shown as if they began with `/registry`. Keys outside of it are not to be asked for. */
export function prefixedStore(store: StateStore, prefix: string): StateStore {
  if (prefix === INNER) return store;
  const out = (key: string): string => prefix + key.slice(INNER.length);
  const back = (key: string): string => INNER + key.slice(prefix.length);
  const outRange = ({ key, end }: KeyRange): KeyRange => ({ key: out(key), ...(end === undefined ? {} : { end: out(end) }) });
  return translatedStore(store, {
    shown: (kv) => ({ ...kv, key: back(kv.key) }),
    op: (op) => (op.type === 'put' ? { ...op, key: out(op.key) } : { ...op, range: outRange(op.range) }),
    range: outRange,
    compare: (compare) => ({ ...compare, key: out(compare.key) }),
    leasedKey: back,
  });
}
