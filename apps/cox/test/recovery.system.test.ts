import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
  // Which has a daemon to lose; crio's recovery is a part of runtimes.system.test.ts.
  await cluster.up('--runtime', 'containerd');
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
  cluster.killForGood(role);
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

test('what ends by itself is started again without anybody doing anything, and says why; running pods are adopted', async () => {
  const before = await identity();
  const pids = new Map(['node', 'control-plane', 'containerd'].map((role) => [role, cluster.pid(role)]));
  for (const pid of pids.values()) process.kill(pid, 'SIGKILL');
  await eventually('all are there again', async () => {
    const { stdout } = await cluster.cox(['status', '--name', cluster.name, '-o', 'json']);
    const status = JSON.parse(stdout) as { processes: { name: string; pid?: number; restarts: number; lastEnd?: { reason: string } }[]; nodes: object[] };
    expect(status).toMatchObject({ running: true, api: { ready: true }, nodes: [{ ready: true }] });
    for (const { name, pid, restarts, lastEnd } of status.processes) {
      expect(pid).not.toBe(pids.get(name));
      expect([restarts, lastEnd?.reason]).toEqual([1, 'killed by SIGKILL']);
    }
  });
  expect(await cluster.mustCox('status', '--name', cluster.name)).toMatch(/^control-plane +running .* 1 \(\d+s ago: killed by SIGKILL\)$/m);
  expect(await cluster.mustCox('logs', 'control-plane', '--name', cluster.name)).toContain('control-plane ended (killed by SIGKILL); starting it again');
  await eventually('the pods are as they were', async () => expect(await identity()).toEqual(before));
  await cluster.kubectl('scale', 'deployment/web', '--replicas=4');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.kubectl('scale', 'deployment/web', '--replicas=3');
  await eventually('the fourth pod is gone', async () => expect(await identity()).toHaveLength(3));
  // Who starts it again by hand comes late, which is no mistake; who does so twice makes one.
  await cluster.up();
  expect(await cluster.cox(['up', '--name', cluster.name])).toMatchObject({ code: 1, stderr: expect.stringContaining('is running already') });
});

test.each(['control-plane', 'node'] as const)('up beside the supervisor that starts %s again', async (role) => {
  const before = await identity();
  process.kill(cluster.pid(role), 'SIGKILL');
  await cluster.up();
  await eventually('the pods are as they were', async () => expect(await identity()).toEqual(before));
});

test('a daemon that an up had started but not seen ready when it was killed is looked after from the next up on', async () => {
  const before = await identity();
  const { run } = cluster.config.paths;
  rmSync(join(run, 'supervised/containerd/ready'));
  await cluster.up();
  const pid = cluster.pid('containerd');
  process.kill(pid, 'SIGKILL');
  await eventually('containerd is there again', () => expect(cluster.pid('containerd')).not.toBe(pid));
  await eventually('the cluster is healthy', () => cluster.mustCox('status', '--name', cluster.name));
  await eventually('the pods are as they were', async () => expect(await identity()).toEqual(before));
});

test('down leaves nothing behind, whatever is just being started again, and the next up brings the pods back', async () => {
  const { config } = cluster;
  for (const role of ['control-plane', 'node']) process.kill(cluster.pid(role), 'SIGKILL');
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
  await cluster.up();
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
});

test('up works after everything was killed at once', async () => {
  cluster.killWithSupervisors('node', 'control-plane', 'containerd');
  const root = await Cgroup.at(`/coxswain-${cluster.name}`);
  await root.killAll((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  await cluster.up();
  await eventually('all pods are ready again', async () => {
    const { items } = await cluster.json<PodList>('pods', '-l', 'app=web');
    expect(items).toHaveLength(3);
    expect(items.every((p) => p.status.containerStatuses.every((c) => c.ready))).toBe(true);
  });
});
