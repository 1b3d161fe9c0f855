import { expect, it } from 'vitest';
import { type Clock, systemClock } from '@coxswain/sdk';
import { AuditBatch } from './audit-batch.js';
import type { AuditBatchOptions } from './audit-batch.js';

/** A clock whose timers run when they are told to. */
function manualClock() {
  const timers: { readonly run: () => void; readonly ms: number }[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonic: () => 0,
    setTimeout: (run, ms) => {
      const timer = { run, ms };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
    sleep: (ms) => new Promise((resolve) => timers.push({ run: resolve, ms })),
  };
  return { clock, timers, fire: () => timers.shift()?.run() };
}

function make(options: Partial<AuditBatchOptions> = {}) {
  const { clock, timers, fire } = manualClock();
  const sent: (readonly string[])[] = [];
  const lost: [number, unknown][] = [];
  const batch = new AuditBatch({
    ...{ bufferSize: 10, maxSize: 3, maxWaitMs: 1000, clock },
    send: (lines) => void sent.push(lines),
    onLost: (events, error) => lost.push([events, error]),
    ...options,
  });
  const add = (...lines: string[]) => {
    for (const line of lines) batch.add(line);
  };
  return { batch, add, sent, lost, timers, fire };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('sends a batch when it is full, and a smaller one when it has waited', async () => {
  const { add, sent, timers, fire } = make();
  add('a', 'b', 'c');
  await turn();
  expect([sent, timers]).toEqual([[['a', 'b', 'c']], []]);
  add('d');
  await turn();
  expect([sent.length, timers.map(({ ms }) => ms)]).toEqual([1, [1000]]);
  fire();
  await turn();
  expect(sent[1]).toEqual(['d']);
});

it('drops what the buffer has no room for, and says so', async () => {
  let release = () => {};
  const { add, sent, lost } = make({ bufferSize: 4, send: () => new Promise<void>((resolve) => (release = resolve)) });
  add('a', 'b', 'c');
  await turn();
  add('d', 'e', 'f', 'g', 'too much', 'too much');
  release();
  await turn();
  expect([sent, lost]).toEqual([[], [[2, undefined]]]);
});

it('goes on after a batch that could not be sent, and sends the rest when it is closed', async () => {
  const sent: (readonly string[])[] = [];
  const broken = new Error('down');
  const { batch, add, lost } = make({
    send: (lines) => {
      if (lines.includes('a')) throw broken;
      sent.push(lines);
    },
  });
  add('a', 'b', 'c');
  await turn();
  add('d', 'e');
  await batch.close();
  expect([sent, lost]).toEqual([[['d', 'e']], [[3, broken]]]);
});

it('is throttled after its burst', async () => {
  const { add, sent, timers, fire } = make({ maxSize: 1, throttle: { qps: 2, burst: 2 } });
  add('a', 'b', 'c');
  await turn();
  await turn();
  expect([sent.flat(), timers.map(({ ms }) => ms)]).toEqual([['a', 'b'], [500]]);
  fire();
  await turn();
  expect(sent.flat()).toEqual(['a', 'b', 'c']);
});
