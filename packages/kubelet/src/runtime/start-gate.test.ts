import { FakeClock } from '@coxswain/sdk-testing';
import { describe, expect, it } from 'vitest';
import { StartGate } from './start-gate.js';

const forever = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('StartGate', () => {
  it('runs as many as there are places, containers before sandboxes', async () => {
    const gate = new StartGate(1, new FakeClock());
    const order: string[] = [];
    let release = () => {};
    const first = gate.run('sandbox', forever, () => new Promise<void>((resolve) => (release = resolve)));
    const rest = (['sandbox', 'container'] as const).map((kind) =>
      gate.run(kind, forever, async () => {
        order.push(kind);
      }),
    );
    await turn();
    expect(order).toEqual([]);
    release();
    await Promise.all([first, ...rest]);
    expect(order).toEqual(['container', 'sandbox']);
  });

  it('gives the place of a call that hangs to the next one, once', async () => {
    const clock = new FakeClock();
    const gate = new StartGate(1, clock);
    let release = () => {};
    const hung = gate.run('sandbox', forever, () => new Promise<void>((resolve) => (release = resolve)));
    const second = gate.run('sandbox', forever, () => Promise.resolve('ran'));
    await clock.advance(5001);
    await expect(second).resolves.toBe('ran');
    release();
    await hung;
    const blocked = gate.run('sandbox', forever, () => new Promise<void>((resolve) => (release = resolve)));
    let third = false;
    const waiting = gate.run('sandbox', forever, async () => {
      third = true;
    });
    await turn();
    expect(third).toBe(false);
    release();
    await Promise.all([blocked, waiting]);
  });

  it('leaves the queue when told to stop', async () => {
    const gate = new StartGate(1, new FakeClock());
    let release = () => {};
    const first = gate.run('container', forever, () => new Promise<void>((resolve) => (release = resolve)));
    const stop = new AbortController();
    const second = gate.run('container', stop.signal, () => Promise.resolve());
    stop.abort(new Error('stop'));
    await expect(second).rejects.toThrow('stop');
    release();
    await first;
    await gate.run('container', forever, () => Promise.resolve());
  });
});
