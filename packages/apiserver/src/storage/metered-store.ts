import type { StateStore, Txn } from '@coxswain/sdk';
import { Counter, Histogram, type Registry } from 'prom-client';

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

type Operation = 'get' | 'list' | 'update';

interface Series {
  readonly seconds: Histogram.Internal<string>;
  readonly count: Counter.Internal;
  readonly errors: Counter.Internal;
}

/** Counts what the API server asks of its store, under the names upstream uses for etcd. */
export function meteredStore(store: StateStore, root: string, now: () => number, registry: Registry): StateStore {
  const labelNames = ['operation', 'group', 'resource'] as const;
  const registers = [registry];
  const seconds = new Histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Time the store takes, by operation and resource.',
    labelNames,
    buckets: BUCKETS,
    registers,
  });
  const count = new Counter({ name: 'etcd_requests_total', help: 'Requests to the store, by operation and resource.', labelNames, registers });
  const errors = new Counter({ name: 'etcd_request_errors_total', help: 'Requests to the store that failed.', labelNames, registers });
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
      found = { seconds: seconds.labels(labels), count: count.labels(labels), errors: errors.labels(labels) };
      if (series.size < 2000) series.set(id, found);
    }
    return found;
  };
  const timed = async <T>(operation: Operation, key: string, run: () => Promise<T>): Promise<T> => {
    const { seconds: took, count: asked, errors: failed } = seriesOf(operation, key);
    const begin = now();
    asked.inc();
    try {
      return await run();
    } catch (error) {
      failed.inc();
      throw error;
    } finally {
      took.observe((now() - begin) / 1000);
    }
  };
  // The store may be a class with private fields, so that what is not counted is called on the store itself.
  return new Proxy(store, {
    get(target, property) {
      if (property === 'range') {
        return ((range, options, signal) =>
          timed(range.end === undefined ? 'get' : 'list', range.key, () => target.range(range, options, signal))) satisfies StateStore['range'];
      }
      if (property === 'txn') {
        return ((txn, signal) => timed('update', keyOf(txn), () => target.txn(txn, signal))) satisfies StateStore['txn'];
      }
      const value = Reflect.get(target, property, target) as unknown;
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

function keyOf({ compare, success, failure }: Txn): string {
  const first = compare[0] ?? success[0] ?? failure?.[0];
  if (!first) return '';
  return 'key' in first ? first.key : first.range.key;
}
