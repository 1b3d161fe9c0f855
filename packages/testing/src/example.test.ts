import { expect, it } from 'vitest';
import { startTestCluster } from './index.js';

it('makes a backup every half hour', async () => {
  await using cluster = await startTestCluster({ nodes: 3 });
  const metadata = { annotations: { 'sim.coxswain.dev/containers': '{exit: {after: 1m}}' } };
  const spec = { restartPolicy: 'Never', containers: [{ name: 'backup', image: 'backup:1' }] };
  await cluster.client.api.cronJobs('default').create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'backup' },
    spec: { schedule: '*/30 * * * *', jobTemplate: { spec: { template: { metadata, spec } } } },
  });

  await cluster.clock.advance('1h');

  const { items: jobs } = await cluster.client.api.jobs('default').list();
  expect(jobs).toHaveLength(2);
}, 120_000);
