import { expect, it } from 'vitest';
import type { MetricsBatch, MetricsPoint } from './metrics-point.js';
import { UsageStore } from './usage-store.js';

const S = 1000;
const point = (seconds: number, cpuSeconds: number, startSeconds = 0, memoryBytes = 1024): MetricsPoint => ({
  startTime: startSeconds * S,
  timestamp: seconds * S,
  cpuSeconds,
  memoryBytes,
});
const batch = (node: MetricsPoint | undefined, containers: Record<string, MetricsPoint> = {}): MetricsBatch => ({
  node,
  pods: new Map(Object.keys(containers).length > 0 ? [['ns/pod', new Map(Object.entries(containers))]] : []),
});

it('tells a rate from two measurements, over the time between them', () => {
  const store = new UsageStore(15 * S);
  store.store('n', batch(point(100, 10)));
  expect(store.node('n')).toBeUndefined();
  expect(store.size).toBe(0);
  store.store('n', batch(point(110, 15, 0, 2048)));
  expect(store.node('n')).toEqual({ timestamp: 110 * S, windowMs: 10 * S, cpuCores: 0.5, memoryBytes: 2048 });
  expect(store.size).toBe(1);
});

it('keeps what it knows while the kubelet has not measured again', () => {
  const store = new UsageStore(15 * S);
  for (const at of [100, 110, 110]) store.store('n', batch(point(at, at / 10)));
  expect(store.node('n')).toMatchObject({ windowMs: 10 * S });
});

it('forgets nodes that are gone, and keeps the others', () => {
  const store = new UsageStore(15 * S);
  for (const node of ['a', 'b']) for (const at of [100, 110]) store.store(node, batch(point(at, at)));
  store.keep(new Set(['b']));
  expect(store.node('a')).toBeUndefined();
  expect(store.node('b')).toBeDefined();
});

it('has a pod when it has all of its containers', () => {
  const store = new UsageStore(15 * S);
  store.store('n', batch(undefined, { a: point(100, 1, 1), b: point(100, 1, 1) }));
  store.store('n', batch(undefined, { a: point(120, 3, 1), b: point(120, 1, 1), late: point(120, 0, 119) }));
  expect(store.pod('ns', 'pod')).toBeUndefined();
  store.store('n', batch(undefined, { a: point(140, 3, 1), b: point(140, 2, 1), late: point(140, 2, 119) }));
  expect(store.pod('ns', 'pod')?.get('late')).toMatchObject({ cpuCores: 0.1, windowMs: 20 * S });
  expect(store.pod('ns', 'other')).toBeUndefined();
});

it('measures a young container from its start, and a restarted one anew', () => {
  const store = new UsageStore(15 * S);
  store.store('n', batch(undefined, { a: point(112, 6, 100) }));
  expect(store.pod('ns', 'pod')?.get('a')).toMatchObject({ cpuCores: 0.5, windowMs: 12 * S });
  store.store('n', batch(undefined, { a: point(130, 8, 100) }));
  store.store('n', batch(undefined, { a: point(150, 0.5, 145) }));
  expect(store.pod('ns', 'pod')).toBeUndefined();
  store.store('n', batch(undefined, { a: point(170, 10.5, 145) }));
  expect(store.pod('ns', 'pod')?.get('a')).toMatchObject({ cpuCores: 0.5 });
});

it('says nothing when a counter went backwards', () => {
  const store = new UsageStore(15 * S);
  store.store('n', batch(point(100, 10)));
  store.store('n', batch(point(110, 5)));
  expect(store.node('n')).toBeUndefined();
});
