import { expect, it } from 'vitest';
import { semaphore } from './semaphore.js';

it('at most so many run at once; one that fails makes room like any other', async () => {
  const limit = semaphore(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const run = (n: number) =>
    limit(async () => {
      order.push(n);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (n === 1) throw new Error('one fails');
      return n;
    });
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map(run));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect([most, order]).toEqual([2, [0, 1, 2, 3, 4]]);
});
