import type { StateStore, Txn } from '@coxswain/sdk';
import type { Registry } from 'prom-client';
import { CounterTallies, HistogramTallies } from '../health/tallies.js';
import type { Distribution, Tally } from '../health/tallies.js';

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

type Operation = 'get' | 'list' | 'update';

interface Series {
  readonly seconds: Distribution;
  readonly count: Tally;
  readonly errors: Tally;
}

/** Counts what the API server asks of its store, under the names upstream uses for etcd. */
export function meteredStore(store: StateStore, root: string, now: () => number, registry: Registry): StateStore {
  const seconds = new HistogramTallies('etcd_request_duration_seconds', 'Time the store takes, by operation and resource.', registry, BUCKETS);
  const count = new CounterTallies('etcd_requests_total', 'Requests to the store, by operation and resource.', registry);
  const errors = new CounterTallies('etcd_request_errors_total', 'Requests to the store that failed.', registry);
  const series = new Map<string, Series>();
  const seriesOf = (operation: Operation, key: string): Series => {
    const end = key.indexOf('/', root.length);
    let name = end < 0 ? key.slice(root.length) : key.slice(root.length, end);
    let group = '';
    // Groups that end in a domain have a folder of their own.
    if (name.includes('.') && end >= 0) {
      group = name;
      const next = key.indexOf('/', end + 1);
      name = next < 0 ? key.slice(end + 1) : key.slice(end + 1, next);
    }
    const id = `${operation}/${group}/${name}`;
    let found = series.get(id);
    if (!found) {
      const labels = { operation, group, resource: name };
      found = { seconds: seconds.of(labels), count: count.of(labels), errors: errors.of(labels) };
      series.set(id, found);
    }
    return found;
  };
  const timed = async <T>(operation: Operation, key: string, run: () => Promise<T>): Promise<T> => {
    const { seconds: took, count: asked, errors: failed } = seriesOf(operation, key);
    const begin = now();
    asked.value++;
    try {
      return await run();
    } catch (error) {
      failed.value++;
      throw error;
    } finally {
      took.observe((now() - begin) / 1000);
    }
  };
  const range: StateStore['range'] = (range, options, signal) =>
    timed(range.end === undefined ? 'get' : 'list', range.key, () => store.range(range, options, signal));
  const txn: StateStore['txn'] = (txn, signal) => timed('update', keyOf(txn), () => store.txn(txn, signal));
  const methods = new Map<string | symbol, unknown>([
    ['range', range],
    ['txn', txn],
  ]);
  // The store may be a class with private fields, so that what is not counted is called on the store itself.
  return new Proxy(store, {
    get(target, property) {
      const known = methods.get(property);
      if (known) return known;
      const value = Reflect.get(target, property, target) as unknown;
      if (typeof value !== 'function') return value;
      const bound = (value as (...args: unknown[]) => unknown).bind(target);
      methods.set(property, bound);
      return bound;
    },
  });
}

function keyOf({ compare, success, failure }: Txn): string {
  const first = compare[0] ?? success[0] ?? failure?.[0];
  if (!first) return '';
  return 'key' in first ? first.key : first.range.key;
}
