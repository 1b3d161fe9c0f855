import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { CounterTallies, HistogramTallies } from './tallies.js';

test('tallies are written as prom-client writes its own', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const buckets = [0.1, 1, 10];
  const labels = { verb: 'GET', code: '200' };
  const tally = new CounterTallies('requests_total', 'Requests.', ours).of(labels);
  const distribution = new HistogramTallies('seconds', 'Time.', ours, buckets).of({ verb: 'GET' });
  const counter = new Counter({ name: 'requests_total', help: 'Requests.', labelNames: ['verb', 'code'], registers: [theirs] });
  const histogram = new Histogram({ name: 'seconds', help: 'Time.', labelNames: ['verb'], buckets, registers: [theirs] });
  for (const value of [0.05, 0.1, 0.5, 10, 11, 400]) {
    tally.value++;
    counter.inc(labels);
    distribution.observe(value);
    histogram.observe({ verb: 'GET' }, value);
  }
  const sorted = async (registry: Registry) =>
    (await registry.metrics()).split('\n').map((line) => line.replace(/\{(.*)\}/, (_, list: string) => `{${list.split(',').sort().join(',')}}`));
  expect(await sorted(ours)).toEqual(await sorted(theirs));
});
