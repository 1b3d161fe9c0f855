import { describe, expect, it } from 'vitest';
import { Activity } from './activity.js';
import { milliseconds, VirtualClock } from './virtual-clock.js';

const activity = new Activity();
const settled = () => activity.settled();

describe('virtual time', () => {
  it('fires timers in the order of their times, then of their making, also those made on the way', async () => {
    const clock = new VirtualClock(1000, settled);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
    clock.setTimeout(note('b'), 20);
    clock.setTimeout(note('a'), 10);
    clock.setTimeout(note('c'), 20);
    const cancel = clock.setTimeout(note('never'), 15);
    cancel();
    void clock.sleep(10).then(() => clock.setTimeout(note('late'), 5));
    await clock.advance(30);
    expect(seen).toEqual(['a@1010', 'late@1015', 'b@1020', 'c@1020']);
    expect(clock.monotonic()).toBe(30);
  });

  it('lets what one moment sets off come to rest before the next', async () => {
    const clock = new VirtualClock(0, settled);
    const seen: number[] = [];
    const loop = async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(clock.monotonic());
      }
    };
    void loop();
    await clock.advance('1s');
    expect(seen).toEqual([10, 20, 30]);
  });

  it('can be waited on from two sides at once', async () => {
    const clock = new VirtualClock(0, settled);
    const seen: number[] = [];
    for (const at of [10, 20, 30]) clock.setTimeout(() => seen.push(at), at);
    await Promise.all([clock.advance(25), clock.advance(15), settled(), settled()]);
    expect(seen).toEqual([10, 20]);
    expect(clock.monotonic()).toBe(25);
  });

  it('keeps many timers in order', async () => {
    const clock = new VirtualClock(0, async () => {});
    const seen: number[] = [];
    for (let i = 0; i < 500; i++) {
      const at = (i * 7919) % 1000;
      clock.setTimeout(() => seen.push(at), at);
    }
    await clock.advance(1000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen).toHaveLength(500);
  });

  it('rejects a sleep whose signal aborts', async () => {
    const clock = new VirtualClock(0, settled);
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    expect(await clock.step()).toBe(false);
  });

  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5s', 1500],
    [250, 250],
  ])('reads %j', (span, ms) => expect(milliseconds(span)).toBe(ms));
  it.each([['soon'], ['5'], [-1], [Number.NaN]])('refuses %j', (span) => expect(() => milliseconds(span)).toThrow(/is no span of time/));
});
