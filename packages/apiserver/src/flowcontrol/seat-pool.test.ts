import { describe, expect, it } from 'vitest';
import { SeatPool } from './seat-pool.js';

const never = { setTimeout: () => () => {} } as never;
const queuing = { queues: 2, handSize: 1, queueLengthLimit: 2 };
const level = (name: string, shares: number, lendablePercent = 0, queued = true) => ({
  name,
  exempt: false,
  shares,
  lendablePercent,
  ...(queued ? { queuing } : {}),
});

describe('SeatPool', () => {
  it('keeps seats of a level from others, and lends the rest', () => {
    const pool = new SeatPool(10, never);
    pool.configure([level('system', 5, 40), level('users', 5)]);
    // Five of its own, and two that system lends.
    for (let i = 0; i < 7; i++) expect(pool.enter('users', 'a')).toBeUndefined();
    expect(pool.enter('users', 'a')).toBeInstanceOf(Promise);
    for (let i = 0; i < 3; i++) expect(pool.enter('system', 's')).toBeUndefined();
  });

  it('lets flows take turns', async () => {
    const pool = new SeatPool(1, never);
    pool.configure([level('users', 1)]);
    pool.enter('users', 'busy');
    const order: string[] = [];
    for (const flow of ['busy', 'busy', 'quiet']) void pool.enter('users', flow)?.then(() => order.push(flow));
    for (let i = 0; i < 3; i++) {
      pool.leave('users');
      await Promise.resolve();
    }
    expect(order).toEqual(['busy', 'quiet', 'busy']);
  });

  it('refuses what does not fit into the queue', () => {
    const pool = new SeatPool(1, never);
    pool.configure([level('users', 1)]);
    for (let i = 0; i < 3; i++) pool.enter('users', 'a');
    expect(() => pool.enter('users', 'a')).toThrow('Too many requests');
    const strict = new SeatPool(1, never);
    strict.configure([level('none', 1, 0, false)]);
    strict.enter('none', 'a');
    expect(() => strict.enter('none', 'a')).toThrow('Too many requests');
  });
});
