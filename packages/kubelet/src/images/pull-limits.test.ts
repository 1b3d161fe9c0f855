import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { PullGate } from './pull-gate.js';
import { TokenBucket } from './token-bucket.js';

it('so many pulls at a time, in their order, also when one fails', async () => {
  const gate = new PullGate(2);
  const started: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const pulls = [0, 1, 2, 3].map((n) =>
    gate.run(() => {
      started.push(n);
      return new Promise<void>((resolve, reject) => void (ends[n] = (error) => (error ? reject(error) : resolve())));
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  ends[1]?.(new Error('no such image'));
  await expect(pulls[1]).rejects.toThrow('no such image');
  await expect.poll(() => started).toEqual([0, 1, 2]);
  ends[0]?.();
  await expect.poll(() => started).toEqual([0, 1, 2, 3]);
  for (const n of [2, 3]) ends[n]?.();
  await Promise.all([pulls[0], pulls[2], pulls[3]]);
});

it('so many a second after a burst', async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 2, 3);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  await clock.advance(500);
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
});
