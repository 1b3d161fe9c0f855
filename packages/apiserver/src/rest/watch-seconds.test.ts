import { expect, it } from 'vitest';
import { watchSeconds } from './watch-seconds.js';

it('a watch stays for whole seconds, the least or up to twice as many', () => {
  const at = (next: number) => watchSeconds(undefined, { next: () => next } as never);
  expect([at(0), at(0.50001), at(0.99999)]).toEqual([1800, 2700, 3599]);
});
