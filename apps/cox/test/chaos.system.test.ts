import { afterAll, expect, test } from 'vitest';
import { chaos } from './chaos/chaos.js';
import { ClusterFixture } from './cluster-fixture.js';

// Slow: boots a cluster and hurts it under load. `npm run chaos` does so at length; see docs/testing.md.
const cluster = new ClusterFixture('t-chaos');
afterAll(() => cluster[Symbol.asyncDispose]());

test('kills under load lose no write, no change, no pod, and leave nothing behind', async () => {
  const said: string[] = [];
  const found = await chaos(cluster, { seed: 3, rounds: 4, up: [], only: /kill|conmon|main process|crun/, say: (text) => said.push(text) });
  expect(found, said.join('\n')).toEqual([]);
});
