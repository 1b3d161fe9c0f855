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

  it('who wants several seats waits for all of them, and nobody overtakes', async () => {
    const pool = new SeatPool(4, never);
    pool.configure([level('users', 1)]);
    for (let i = 0; i < 2; i++) pool.enter('users', 'small');
    const order: string[] = [];
    void pool.enter('users', 'large', 3)?.then(() => order.push('large'));
    void pool.enter('users', 'small')?.then(() => order.push('small'));
    expect(pool.counts()).toEqual([{ name: 'users', seats: 4, executing: 2, waiting: 2 }]);
    pool.leave('users');
    await Promise.resolve();
    expect(order).toEqual(['large']);
    pool.leave('users', 3);
    await Promise.resolve();
    expect(order).toEqual(['large', 'small']);
  });

  it('bounds what one request can take: 15 % of the level, a hand of its queues, ten', () => {
    const pool = new SeatPool(200, never);
    const hand = { queues: 64, handSize: 6, queueLengthLimit: 50 };
    pool.configure([
      { ...level('a', 100), queuing: hand },
      { ...level('b', 50), queuing: hand },
      level('c', 40, 0, false),
      { ...level('d', 10), queuing: hand },
    ]);
    expect(['a', 'b', 'c', 'd', 'none'].map((name) => pool.mostSeats(name))).toEqual([10, 8, 6, 1, 1]);
  });
});
