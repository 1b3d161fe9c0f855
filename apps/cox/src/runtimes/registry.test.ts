import { clusterPaths, resolveClusterSpec } from '@coxswain/cluster';
import { afterEach, expect, test, vi } from 'vitest';
import { teardownSteps } from '../teardown/teardown.js';
import { AUTO, runtimeChoices } from './names.js';
import { chooseRuntime, nodeRuntimes, runtimeOf } from './registry.js';

afterEach(() => vi.unstubAllEnvs());

test('every runtime is a choice, and has a name of its own', () => {
  expect(runtimeChoices).toEqual([...new Set(nodeRuntimes.map(({ name }) => name)), AUTO]);
});

test('a runtime that is named is taken, whatever the machine has', () => {
  for (const runtime of nodeRuntimes) expect(chooseRuntime(runtime.name)).toBe(runtime);
});

test('on a machine that has none, auto says for each what it lacks and how to get it', () => {
  vi.stubEnv('PATH', '/nowhere');
  expect(() => chooseRuntime(AUTO)).toThrow(/crio serves best\ncrio: .*\n {2}→ apt-get install conmon[\s\S]*containerd: .*\n {2}→ apt-get install containerd/);
});

test('a cluster of a runtime that is unknown is refused with its file', () => {
  const paths = clusterPaths('x', '/s', '/r');
  expect(() => runtimeOf({ name: 'x', runtime: 'rkt', paths })).toThrow('cluster "x" was made with the runtime "rkt"');
});

test('teardown stops the node first, and the daemons after what the runtime undoes', () => {
  for (const runtime of nodeRuntimes) {
    const titles = teardownSteps(resolveClusterSpec({ name: 'x', nodeIP: '192.0.2.1', runtime: runtime.name })).map(({ title }) => title);
    expect(titles[0]).toBe('stopping the node');
    const lastUndone = Math.max(...runtime.teardown.map(({ title }) => titles.indexOf(title)));
    for (const { name } of runtime.daemons) expect(titles.indexOf(`stopping the ${name}`)).toBeGreaterThan(lastUndone);
  }
});

test('hosts of different runtimes are each undone by their own', () => {
  const hosts = nodeRuntimes.map(({ name }, i) => ({ name: `n${i}`, runtime: name }));
  const titles = teardownSteps(resolveClusterSpec({ name: 'x', hosts })).map(({ title }) => title);
  for (const { teardown } of nodeRuntimes) expect(titles).toEqual(expect.arrayContaining(teardown.map(({ title }) => title)));
  expect(titles.indexOf('stopping the load-balancer')).toBeLessThan(titles.indexOf('stopping the control-plane'));
});
