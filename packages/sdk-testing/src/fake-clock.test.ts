import { expect, test } from 'vitest';
import { FakeClock } from './fake-clock.js';
import { FakeRandom } from './fake-random.js';

test('timers fire at their times, in order, also those made on the way', async () => {
  const clock = new FakeClock(1000);
  const log: string[] = [];
  const note = (name: string) => () => void log.push(`${name}@${clock.monotonic()}`);
  clock.setTimeout(note('b'), 20);
  clock.setTimeout(note('c'), 20);
  clock.setTimeout(note('a'), 10);
  clock.setTimeout(note('never'), 15)();
  void clock
    .sleep(5)
    .then(() => clock.sleep(7))
    .then(note('slept'));
  await clock.advance(19);
  expect(log).toEqual(['a@10', 'slept@12']);
  await clock.advance(1);
  expect(log.slice(2)).toEqual(['b@20', 'c@20']);
  expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1020, 20, 0]);
});

test('a sleep ends with the reason of its signal', async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const sleeping = clock.sleep(1000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  expect(clock.pending).toBe(0);
  expect(await clock.advanceToNext()).toBe(false);
});

test('the same seed gives the same run', () => {
  const run = (seed: number) => {
    const random = new FakeRandom(seed);
    return [random.next(), random.int(10), random.uuid(), ...random.bytes(3)];
  };
  expect(run(5)).toEqual(run(5));
  expect(run(5)).not.toEqual(run(6));
  expect(run(1)[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
