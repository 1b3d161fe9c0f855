import { readdirSync } from 'node:fs';
import { tracesOf } from '@coxswain/cluster';
import { Cgroup } from '@coxswain/linux';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';

// Slow: kills and restarts parts of a whole cluster.
const cluster = new ClusterFixture('t-recovery');

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: coxswain.local/guestbook:1
          args: [httpd, -f, -p, '8080', -h, /www/front]
`;

interface PodList {
  items: { metadata: { uid: string }; status: { podIP: string; containerStatuses: { containerID: string; restartCount: number; ready: boolean }[] } }[];
}

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
  await cluster.apply(deployment);
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** What must stay as it is: the same pods, the same containers, on the same addresses. */
async function identity(): Promise<string[]> {
  const { items } = await cluster.json<PodList>('pods', '-l', 'app=web');
  return items
    .map((p) => `${p.metadata.uid} ${p.status.podIP} ${p.status.containerStatuses.map((c) => `${c.containerID} ${c.restartCount} ${c.ready}`).join()}`)
    .sort();
}

/** Containers that run, by what the kernel says. */
async function runningContainers(): Promise<number> {
  const dir = (await Cgroup.at(`/coxswain-${cluster.name}`)).directory('memory') ?? '';
  const leaves = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((p) => /\/[0-9a-f]{64}$/.test(p));
  const counts = await Promise.all(leaves.map(async (leaf) => (await (await Cgroup.at(`/coxswain-${cluster.name}/${leaf}`)).processes()).length));
  return counts.filter((n) => n > 0).length;
}

test.each(['node', 'control-plane', 'containerd'] as const)('kill -9 of %s, then up again: running pods are adopted', async (role) => {
  const before = await identity();
  const containers = await runningContainers();
  process.kill(cluster.pid(role), 'SIGKILL');
  await cluster.up();
  expect(await identity()).toEqual(before);
  expect(await runningContainers()).toBe(containers);
  // Work goes on: scale up and down again.
  await cluster.kubectl('scale', 'deployment/web', '--replicas=4');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.kubectl('scale', 'deployment/web', '--replicas=3');
  await eventually('the fourth pod is gone', async () => expect(await identity()).toHaveLength(3));
  await cluster.kubectl('get', '--raw', '/readyz');
});

test('down leaves nothing behind, and the next up brings the pods back', async () => {
  const { config } = cluster;
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
  await cluster.up();
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
});

test('up works after everything was killed at once', async () => {
  for (const role of ['node', 'control-plane', 'containerd'] as const) process.kill(cluster.pid(role), 'SIGKILL');
  const root = await Cgroup.at(`/coxswain-${cluster.name}`);
  await root.killAll((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  await cluster.up();
  await eventually('all pods are ready again', async () => {
    const { items } = await cluster.json<PodList>('pods', '-l', 'app=web');
    expect(items).toHaveLength(3);
    expect(items.every((p) => p.status.containerStatuses.every((c) => c.ready))).toBe(true);
  });
});
