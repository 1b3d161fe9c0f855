import { FakeClock, settle } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { TerminationOrder } from './termination-order.js';

const sidecar = (name: string) => ({ name, image: 'i', restartPolicy: 'Always' });
const pod = {
  spec: {
    initContainers: [{ name: 'init', image: 'i' }, sidecar('s1'), sidecar('s2')],
    containers: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'i' },
    ],
  },
};

function ending(running: readonly string[], ms = 10_000) {
  const clock = new FakeClock();
  const order = new TerminationOrder(pod as never, running, clock);
  const turned: string[] = [];
  for (const name of running) void order.turn(name, ms).then(() => turned.push(name));
  const after = async (name: string) => {
    order.ended(name);
    await settle();
    return [...turned];
  };
  return { clock, turned, after };
}

it('sidecars follow the ordinary containers, the last first', async () => {
  const { turned, after } = ending(['s1', 's2', 'a', 'b']);
  await settle();
  expect(turned).toEqual(['a', 'b']);
  expect(await after('a')).toEqual(['a', 'b']);
  expect(await after('b')).toEqual(['a', 'b', 's2']);
  expect(await after('s2')).toEqual(['a', 'b', 's2', 's1']);
});

it('nobody waits for what does not run', async () => {
  const { turned } = ending(['s1', 'init']);
  await settle();
  expect(turned.sort()).toEqual(['init', 's1']);
});

it('nobody waits longer than there is time', async () => {
  const { clock, turned } = ending(['s1', 's2', 'a'], 5000);
  await settle();
  await clock.advance(4999);
  await settle();
  expect(turned).toEqual(['a']);
  await clock.advance(1);
  await settle();
  expect([...turned].sort()).toEqual(['a', 's1', 's2']);
  expect(clock.pending).toBe(0);
});
