import { use } from '@coxswain/sdk';
import { startTestCluster } from '@coxswain/testing';
import { expect, it } from 'vitest';
import { tenantScheduling } from './one-tenant-per-node.js';

it('gives each tenant nodes of its own, and a waiting one the node that becomes free', async () => {
  await using cluster = await startTestCluster({ nodes: 2, plugins: [use(tenantScheduling)] });
  const pods = cluster.client.api.pods('default');
  const run = async (name: string, tenant: string) =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { tenant } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'app:1' }] },
    });
  const nodeOf = (name: string) => cluster.eventually(async () => (await pods.get(name)).spec?.nodeName);

  for (const name of ['red-1', 'red-2', 'red-3']) await run(name, 'red');
  const red = await nodeOf('red-1');
  expect(await Promise.all(['red-2', 'red-3'].map(nodeOf))).toEqual([red, red]);

  await run('blue', 'blue');
  const blue = await nodeOf('blue');
  expect(blue).not.toBe(red);

  await run('green', 'green');
  await cluster.clock.advance('1m');
  const waiting = await pods.get('green');
  expect(waiting.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message).toBe(
    '0/2 nodes are available: 2 node(s) belonged to another tenant. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  );

  await pods.delete('blue');
  expect(await nodeOf('green')).toBe(blue);
}, 120_000);
