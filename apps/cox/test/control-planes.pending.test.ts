import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { controlPlaneViews, etcdAccess, hostLauncher, tracesOf } from '@coxswain/cluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, command, eventually } from './cluster-fixture.js';

// Slow: boots three control planes, with an etcd member each, and kills the host of etcd's leader.
const cluster = new ClusterFixture('t-ha');
let client: KubeClient;

const web = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: web, image: 'coxswain.local/guestbook:1', args: [httpd, -f, -p, '8080', -h, /www/front] }]
`;

interface PodList {
  items: { spec: { nodeName: string }; status: { phase: string; containerStatuses: { containerID: string; restartCount: number }[] } }[];
}

beforeAll(async () => {
  const up = await cluster.cox(['up', '--name', cluster.name, '--control-planes', '3'], { timeoutMs: 240_000 });
  expect(up).toMatchObject({ code: 0 });
  client = new KubeClient({ transport: transportFromKubeconfig({ path: cluster.env['KUBECONFIG'] ?? '' }), userAgent: 'test', maxRetries: 0 });
  await cluster.loadGuestbook();
  await cluster.apply(web);
  await cluster.kubectl('rollout', 'status', 'daemonset/web', '--timeout=120s');
}, 420_000);
afterAll(async () => {
  await client?.close();
  await cluster[Symbol.asyncDispose]();
}, 120_000);

const endpoints = () => cluster.kubectl('get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].addresses[*].ip}');
const holder = async (lease: string) =>
  (await cluster.kubectl('-n', 'kube-system', 'get', 'lease', lease, '-o', 'jsonpath={.spec.holderIdentity}')).split('_')[0];

/** The host of etcd's leader, as etcd says. */
async function etcdLeader(): Promise<string> {
  const [view] = controlPlaneViews(cluster.config);
  const access = view && etcdAccess(view);
  if (!view || !access) throw new Error('no etcd');
  const files = ['--cacert', access.caFile ?? '', '--cert', access.certFile ?? '', '--key', access.keyFile ?? ''];
  const [program = '', ...args] = [...hostLauncher(view), 'etcdctl', '--endpoints', access.endpoints.join(), ...files, 'endpoint', 'status', '-w', 'json'];
  const { stdout } = await command(program, args, { env: { ETCDCTL_API: '3' } });
  const status = JSON.parse(stdout) as { Endpoint: string; Status: { header: { member_id: number }; leader: number } }[];
  const leader = status.find(({ Status }) => Status.leader === Status.header.member_id)?.Endpoint ?? '';
  const found = controlPlaneViews(cluster.config).find(({ nodeIP }) => leader.includes(`//${nodeIP}:`));
  if (!found) throw new Error(`no leader in ${stdout}`);
  return found.nodeName;
}

/** Creates objects one after the other until it is stopped; remembers what was acknowledged, and when. */
function writer() {
  const acknowledged: { name: string; at: number }[] = [];
  let stopped = false;
  const running = (async () => {
    for (let n = 0; !stopped; n++) {
      const name = `w-${n}`;
      try {
        await client.api
          .configMaps('default')
          .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { n: String(n) } }, { signal: AbortSignal.timeout(2000) });
        acknowledged.push({ name, at: performance.now() });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  })();
  return {
    acknowledged,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

test('three API servers stand behind the kubernetes Service', async () => {
  const ips = controlPlaneViews(cluster.config).map(({ nodeIP }) => nodeIP);
  await eventually('all three are there', async () => expect((await endpoints()).split(' ')).toEqual(ips));
});

test("kill -9 of the whole host of etcd's leader under writes: none that was acknowledged is lost, and work goes on", { timeout: 300_000 }, async () => {
  const before = await cluster.json<PodList>('pods', '-l', 'app=web');
  const lost = await etcdLeader();
  const writes = writer();
  await eventually('writes go', () => expect(writes.acknowledged.length).toBeGreaterThan(50));
  const folder = join(cluster.config.paths.run, 'hosts', lost);
  const killed = performance.now();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.pid'))) {
    process.kill((JSON.parse(readFileSync(join(folder, file), 'utf8')) as { pid: number }).pid, 'SIGKILL');
  }
  await eventually('writes go on', () => expect(writes.acknowledged.filter(({ at }) => at > killed + 3000).length).toBeGreaterThan(50), 60_000);
  await writes.stop();
  const times = [killed, ...writes.acknowledged.map(({ at }) => at).filter((at) => at > killed)];
  const gap = Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
  console.log(`${writes.acknowledged.length} writes acknowledged; longest pause ${Math.round(gap)} ms`);
  expect(gap).toBeLessThan(10_000);

  const { items } = await client.api.configMaps('default').list();
  const there = new Map(items.map(({ metadata, data }) => [metadata.name, data?.['n']]));
  expect(writes.acknowledged.filter(({ name }) => there.get(name) !== name.slice(2))).toEqual([]);

  await eventually(
    'another leads',
    async () => {
      for (const lease of ['kube-scheduler', 'kube-controller-manager']) expect(await holder(lease)).not.toBe(lost);
    },
    90_000,
  );
  await eventually('its API server is out of the Service', async () => expect((await endpoints()).split(' ')).toHaveLength(2), 60_000);
  await cluster.kubectl('create', 'deployment', 'after', '--image=coxswain.local/guestbook:1', '--replicas=2', '--', 'sleep', '100000');
  await eventually(
    'new pods are scheduled and run',
    async () => {
      const { items: pods } = await cluster.json<PodList>('pods', '-l', 'app=after');
      expect(pods.filter(({ spec, status }) => spec.nodeName !== lost && status.phase === 'Running').length).toBeGreaterThan(0);
    },
    90_000,
  );
  const survivors = (list: PodList) =>
    list.items
      .filter(({ spec }) => spec.nodeName !== lost)
      .map(({ spec, status }) => [spec.nodeName, status.containerStatuses[0]?.containerID, status.containerStatuses[0]?.restartCount]);
  expect(survivors(await cluster.json<PodList>('pods', '-l', 'app=web'))).toEqual(survivors(before));
});

test('up brings the host back, and down leaves nothing', { timeout: 300_000 }, async () => {
  expect(await cluster.cox(['up', '--name', cluster.name], { timeoutMs: 200_000 })).toMatchObject({ code: 0 });
  await eventually('all three are there', async () => expect((await endpoints()).split(' ')).toHaveLength(3), 60_000);
  const { config } = cluster;
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
});
