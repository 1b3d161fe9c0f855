import type { Node } from '@coxswain/api';
import { silentLogger } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { MapCycleState } from '../framework/cycle-state.js';
import { fitErrorMessage } from '../framework/fit-error.js';
import { firstRandom, node, pod, TestCluster } from '../test-cluster.js';
import { scheduleExtendedCycle } from './extended-cycle.js';
import type { Extender } from './extender.js';
import { bindByExtenders, preemptByExtenders } from './preempt-and-bind.js';

const names = (nodes: readonly Node[]) => nodes.map((n) => n.metadata.name ?? '');
const { signal } = new AbortController();
const fails = () => Promise.reject(new Error('out of order'));

const extender = (does: Partial<Extender>): Extender => ({
  name: 'http://extender',
  ignorable: false,
  binds: false,
  preempts: false,
  interestedIn: () => true,
  filter: (_, nodes) => Promise.resolve({ nodes: names(nodes), failed: {}, failedForGood: {} }),
  prioritize: () => Promise.resolve(new Map()),
  preempt: () => Promise.resolve([]),
  bind: () => Promise.resolve(),
  ...does,
});
const only = (...left: string[]) =>
  extender({ filter: (_, nodes) => Promise.resolve({ nodes: names(nodes).filter((n) => left.includes(n)), failed: {}, failedForGood: {} }) });

async function outcome(...extenders: Extender[]): Promise<string> {
  const cluster = new TestCluster();
  for (const name of ['a', 'b', 'c']) cluster.cache.setNode(node(name));
  const input = {
    profile: cluster.profile,
    pod: pod('p'),
    state: new MapCycleState(),
    snapshot: cluster.cache.snapshot(),
    nominatedPods: () => [],
    random: firstRandom,
    startIndex: 0,
    percentageOfNodesToScore: 0,
  };
  const r = await scheduleExtendedCycle(input, extenders, signal, silentLogger);
  if (r.type === 'placed') return r.node;
  return r.type === 'error' ? `error: ${r.error.message}` : `${fitErrorMessage(r.diagnosis)} [${[...r.diagnosis.plugins].join()}]`;
}

it('narrows one after the other, and adds to the scores', async () => {
  expect(await outcome(only('b', 'c'), only('c', 'a'))).toBe('c');
  expect(await outcome(extender({ prioritize: () => Promise.resolve(new Map([['b', 1]])) }))).toBe('b');
  expect(await outcome(extender({ interestedIn: () => false, filter: fails }))).toBe('a');
});

it('says why no node is left, with what preemption cannot help above the rest', async () => {
  const picky = extender({
    filter: () => Promise.resolve({ nodes: [], failed: { a: 'too small', b: 'too small', c: 'too small' }, failedForGood: { c: 'never' } }),
  });
  expect(await outcome(picky)).toBe('0/3 nodes are available: 1 never, 2 too small. [Extender]');
});

it('one that fails ends the attempt, unless it may be ignored; without scores goes on either way', async () => {
  expect(await outcome(extender({ filter: fails }))).toBe('error: out of order');
  expect(await outcome(extender({ filter: fails, ignorable: true }), only('b'))).toBe('b');
  expect(await outcome(extender({ prioritize: fails }), extender({ prioritize: () => Promise.resolve(new Map([['c', 1]])) }))).toBe('c');
});

it('leaves of the candidates for preemption what they allow', async () => {
  const candidates = ['a', 'b'].map((name) => ({ node: name, victims: [pod(`on-${name}`)], budgetViolations: 0 }));
  const preempt = (...extenders: Extender[]) =>
    preemptByExtenders(extenders, pod('p'), candidates, () => [], signal, silentLogger).then((left) => left.map((c) => c.node));
  const keep = (...left: string[]) => extender({ preempts: true, preempt: (_, all) => Promise.resolve(all.filter((c) => left.includes(c.node))) });
  const empty = { preempts: true, preempt: () => Promise.resolve(candidates.map((c) => (c.node === 'a' ? { ...c, victims: [] } : c))) };
  expect(await preempt()).toEqual(['a', 'b']);
  expect(await preempt(extender({}), keep('b'))).toEqual(['b']);
  expect(await preempt(keep(), extender({ preempts: true, preempt: fails }))).toEqual([]);
  expect(await preempt(extender({ preempts: true, ignorable: true, preempt: fails }))).toEqual(['a', 'b']);
  await expect(preempt(extender({ preempts: true, preempt: fails }))).rejects.toThrow('out of order');
  await expect(preempt(extender(empty))).rejects.toThrow('expected at least one victim pod on node "a"');
  expect(await preempt(extender({ ...empty, ignorable: true }))).toEqual(['b']);
});

it('binds by the first that can', async () => {
  const bind = (...extenders: Extender[]) => bindByExtenders(extenders, pod('p'), 'a', signal, silentLogger);
  expect(await bind(extender({}))).toBe(false);
  expect(await bind(extender({ binds: true }))).toBe(true);
  expect(await bind(extender({ binds: true, ignorable: true, bind: fails }))).toBe(false);
  await expect(bind(extender({ binds: true, bind: fails }))).rejects.toThrow('out of order');
});
