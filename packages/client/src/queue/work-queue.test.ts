import { describe, expect, it } from 'vitest';
import { settle, TestClock } from '../test-clock.js';
import { BucketLimiter, ItemExponentialLimiter } from './rate-limiter.js';
import { PrometheusWorkQueueMetrics } from './work-queue-metrics.js';
import { WorkQueue } from './work-queue.js';

const make = () => {
  const clock = new TestClock();
  return { clock, queue: new WorkQueue<string>({ clock }) };
};

describe('WorkQueue', () => {
  it('gives each key once, in order, however often it was added', async () => {
    const { queue } = make();
    for (const k of ['a', 'b', 'a', 'c', 'b']) queue.add(k);
    expect([await queue.get(), await queue.get(), await queue.get(), queue.length]).toEqual(['a', 'b', 'c', 0]);
  });

  it('never gives a key to two workers at once, and gives it again when it was added meanwhile', async () => {
    const { queue } = make();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect([queue.length, await queue.get()]).toEqual([1, 'a']);
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  it('wakes who waits; the earliest of two delays wins; shutting down ends the wait', async () => {
    const { clock, queue } = make();
    const got: (string | undefined)[] = [];
    void queue.get().then((k) => got.push(k));
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 80);
    await clock.advance(49);
    expect(got).toEqual([]);
    await clock.advance(1);
    expect(got).toEqual(['a']);
    expect(clock.pending).toBe(0);
    void queue.get().then((k) => got.push(k));
    queue.shutDown();
    await settle();
    expect(got).toEqual(['a', undefined]);
    queue.add('late');
    expect(queue.length).toBe(0);
  });

  it('waits for work in progress at shutdown, dropping what waits', async () => {
    const { queue } = make();
    queue.add('a');
    queue.add('b');
    await queue.get();
    let stopped = false;
    const stopping = queue.shutDownAndWait().then(() => (stopped = true));
    await settle();
    expect([stopped, await queue.get()]).toEqual([false, undefined]);
    queue.done('a');
    await stopping;
  });

  it('waits longer after each failure until it is told to forget', async () => {
    const { clock, queue } = make();
    const next = async () => {
      queue.addRateLimited('a');
      const before = clock.monotonic();
      while (queue.length === 0) await clock.advance(5);
      const key = await queue.get();
      queue.done(key as string);
      return clock.monotonic() - before;
    };
    expect([await next(), await next(), await next(), queue.requeues('a')]).toEqual([5, 10, 20, 3]);
    queue.forget('a');
    expect([queue.requeues('a'), await next()]).toEqual([0, 5]);
  });

  it('reports under upstream names', async () => {
    const clock = new TestClock();
    const metrics = new PrometheusWorkQueueMetrics();
    const queue = new WorkQueue<string>({ name: 'q', clock, metrics });
    queue.add('a');
    queue.add('b');
    await clock.advance(500);
    await queue.get();
    await clock.advance(2000);
    const text = metrics.expose();
    expect(text).toContain('workqueue_depth{name="q"} 1\n');
    expect(text).toContain('workqueue_adds_total{name="q"} 2\n');
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="q"} 0.5\n');
    expect(text).toContain('workqueue_unfinished_work_seconds{name="q"} 2\n');
    queue.done('a');
    expect(metrics.expose()).toContain('workqueue_work_duration_seconds_bucket{name="q",le="10"} 1\n');
  });
});

describe('limiters', () => {
  it('ItemExponentialLimiter stops at its maximum', () => {
    const limiter = new ItemExponentialLimiter<string>(5, 1000);
    expect(Array.from({ length: 10 }, () => limiter.when('x')).slice(-3)).toEqual([640, 1000, 1000]);
  });

  it('BucketLimiter lets a burst through and then paces', async () => {
    const clock = new TestClock();
    const limiter = new BucketLimiter<string>(clock, 10, 2);
    expect([limiter.when(), limiter.when(), limiter.when(), limiter.when()]).toEqual([0, 0, 100, 200]);
    await clock.advance(1000);
    expect(limiter.when()).toBe(0);
  });
});
