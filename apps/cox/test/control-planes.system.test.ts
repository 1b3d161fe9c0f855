import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { type ClusterConfig, controlPlaneViews, etcdAccess, hostLauncher, tracesOf } from '@coxswain/cluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, command, eventually } from './cluster-fixture.js';

// Slow: boots three control planes, with an etcd member each, waits for leases to run out, and kills the host of etcd's leader.
const cluster = new ClusterFixture('t-ha');

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

interface Pod {
  spec: { nodeName: string };
  status: { phase: string; containerStatuses: { containerID: string; restartCount: number }[] };
}

beforeAll(async () => {
  await cluster.up('--control-planes', '3');
  await cluster.loadGuestbook();
  await cluster.apply(web);
  await cluster.kubectl('rollout', 'status', 'daemonset/web', '--timeout=120s');
}, 420_000);
afterAll(async () => {
  for (const { process: child } of askers.values()) child.kill();
  await cluster[Symbol.asyncDispose]();
});

/** Addresses of API servers behind the `kubernetes` Service. */
async function endpoints(): Promise<string[]> {
  const { subsets } = await cluster.client.api.endpoints('default').get('kubernetes', { signal: AbortSignal.timeout(5000) });
  return (subsets ?? []).flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip));
}
const askers = new Map<string, { process: ChildProcess; answers: AsyncIterator<string>; last: Promise<unknown> }>();
/** What a URL on the loopback of a host answers; one process for each host asks, again and again. */
async function ask(view: ClusterConfig, url: string): Promise<{ leading: boolean } | undefined> {
  let asker = askers.get(view.nodeName);
  if (!asker) {
    const script = `require('node:readline').createInterface(process.stdin).on('line', (url) =>
      fetch(url, { signal: AbortSignal.timeout(2000) }).then((r) => r.text()).catch(() => 'null').then((text) => console.log(text)))`;
    const [program = '', ...args] = [...hostLauncher(view), process.execPath, '-e', script];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    asker = { process: child, answers: createInterface(child.stdout)[Symbol.asyncIterator](), last: Promise.resolve() };
    askers.set(view.nodeName, asker);
  }
  // One question at a time, so that answers are told apart.
  const { process: child, answers, last } = asker;
  const answer = last.then(() => {
    child.stdin?.write(`${url}\n`);
    return answers.next();
  });
  asker.last = answer;
  return JSON.parse((await answer).value as string) as { leading: boolean } | undefined;
}

/** Who acts, by the account of everybody: of each control plane that answers, whether its scheduler and its controller manager lead. */
async function leading(component: 'scheduler' | 'controllerManager'): Promise<string[]> {
  const url = `http://127.0.0.1:${cluster.config.ports[component]}/debug/state`;
  const told = controlPlaneViews(cluster.config).map(async (view) => ((await ask(view, url))?.leading ? [view.nodeName] : []));
  return (await Promise.all(told)).flat();
}
async function holder(lease: string): Promise<string> {
  const { spec } = await cluster.client.api.leases('kube-system').get(lease, { signal: AbortSignal.timeout(5000) });
  return spec?.holderIdentity?.replace(/_.*/, '') ?? '';
}

async function etcdctl(...command_: string[]): Promise<string> {
  const [view] = controlPlaneViews(cluster.config);
  const access = view && etcdAccess(view);
  if (!view || !access) throw new Error('no etcd');
  const files = ['--cacert', access.caFile ?? '', '--cert', access.certFile ?? '', '--key', access.keyFile ?? ''];
  const [program = '', ...args] = [...hostLauncher(view), 'etcdctl', '--endpoints', access.endpoints.join(), ...files, ...command_];
  const { code, stdout, stderr } = await command(program, args, { env: { ETCDCTL_API: '3' } });
  if (code !== 0) throw new Error(`etcdctl ${command_.join(' ')}: ${stderr}`);
  return stdout;
}

/** Makes the host's member etcd's leader, unless it is. */
async function leadEtcdFrom(host: string): Promise<void> {
  // Member ids are beyond what a JavaScript number holds: as text, `id, status, name, peers, clients, learner`.
  const id = /^([0-9a-f]+),/.exec((await etcdctl('member', 'list')).split('\n').find((line) => line.includes(` ${host},`)) ?? '')?.[1];
  const isLeader = async () => {
    // `endpoint, id, version, size, leader, …`
    const line = (await etcdctl('endpoint', 'status')).split('\n').find((each) => each.includes(` ${id},`));
    return line?.split(', ')[4] === 'true';
  };
  if (!(await isLeader())) await etcdctl('move-leader', id ?? '');
  await eventually(`etcd is led from ${host}`, async () => expect(await isLeader()).toBe(true));
}

/** Creates objects one after the other until it is stopped; remembers what was acknowledged, and when. */
function writer() {
  const acknowledged: { name: string; at: number }[] = [];
  let stopped = false;
  const running = (async () => {
    for (let n = 0; !stopped; n++) {
      const name = `w-${n}`;
      try {
        await cluster.client.api
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
  await eventually('all three are there', async () => expect(await endpoints()).toEqual(ips));
  const metricsOf = async (ip: string) =>
    cluster.kubectl('--server', `https://${ip}:${cluster.config.ports.apiServer}`, 'get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes');
  await Promise.all(ips.map((ip) => eventually(`the metrics server of ${ip} answers`, async () => expect(await metricsOf(ip)).toContain('"node-3"'))));
});

test('a control plane that stands still loses its leases; when it goes on it takes part again, and one acts at any time', async () => {
  const both = ['scheduler', 'controllerManager'] as const;
  await Promise.all(both.map((component) => eventually(`one ${component} leads`, async () => expect(await leading(component)).toHaveLength(1), 60_000)));
  const stopped = await holder('kube-scheduler');
  expect(await leading('scheduler')).toEqual([stopped]);
  const pid = cluster.pid(`${stopped}/control-plane`);
  process.kill(pid, 'SIGSTOP');
  try {
    const another = async (component: (typeof both)[number]) => expect((await leading(component)).filter((host) => host !== stopped)).toHaveLength(1);
    await Promise.all(both.map((component) => eventually(`another is the ${component}`, () => another(component), 90_000)));
    await cluster.kubectl('create', 'deployment', 'meanwhile', '--image=coxswain.local/guestbook:1', '--replicas=2', '--', 'sleep', '100000');
    await eventually(
      'pods are made and bound',
      async () => {
        expect((await cluster.pods<Pod>('app=meanwhile')).filter(({ spec }) => spec.nodeName)).toHaveLength(2);
      },
      60_000,
    );
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually('its API server is back', async () => expect(await endpoints()).toHaveLength(3), 60_000);
  await eventually(
    'it has given up what it held',
    async () => {
      for (const component of ['scheduler', 'controllerManager'] as const) {
        const now = await leading(component);
        expect(now).toHaveLength(1);
        expect(now).not.toContain(stopped);
      }
    },
    60_000,
  );
  expect(cluster.pid(`${stopped}/control-plane`)).toBe(pid);
  // Not even what was at hand when it woke up was done twice.
  for (const [reason, object] of [
    ['SuccessfulCreate', 'replicaset/meanwhile-'],
    ['Scheduled', 'pod/meanwhile-'],
  ] as const) {
    const events = await cluster.kubectl('get', 'events', `--field-selector=reason=${reason}`, '--no-headers');
    expect(
      events.split('\n').filter((line) => line.includes(object)),
      events,
    ).toHaveLength(2);
  }
});

test("kill -9 of the whole host of etcd's leader under writes: none that was acknowledged is lost, and work goes on", async () => {
  const before = await cluster.pods<Pod>('app=web');
  // Who schedules and who leads etcd are lost together.
  const lost = await holder('kube-scheduler');
  await leadEtcdFrom(lost);
  const writes = writer();
  await eventually('writes go', () => expect(writes.acknowledged.length).toBeGreaterThan(50));
  const processes = readdirSync(join(cluster.config.paths.run, 'hosts', lost)).filter((name) => name.endsWith('.pid'));
  expect(processes.sort()).toEqual(['control-plane.pid', 'etcd.pid', 'node.pid']);
  const killed = performance.now();
  cluster.killForGood(...processes.map((name) => `${lost}/${name.slice(0, -'.pid'.length)}`));
  await eventually('writes go on', () => expect(writes.acknowledged.filter(({ at }) => at > killed + 3000).length).toBeGreaterThan(50), 60_000);
  await writes.stop();
  const times = [killed, ...writes.acknowledged.map(({ at }) => at).filter((at) => at > killed)];
  const gap = Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
  console.log(`${writes.acknowledged.length} writes acknowledged; longest pause ${Math.round(gap)} ms`);
  expect(gap).toBeLessThan(10_000);

  const { items } = await cluster.client.api.configMaps('default').list();
  const there = new Map(items.map(({ metadata, data }) => [metadata.name, data?.['n']]));
  expect(writes.acknowledged.filter(({ name }) => there.get(name) !== name.slice(2))).toEqual([]);

  await eventually(
    'another leads, and one only',
    async () => {
      for (const lease of ['kube-scheduler', 'kube-controller-manager', 'cloud-controller-manager', 'csi-controller'])
        expect(await holder(lease)).not.toBe(lost);
      for (const component of ['scheduler', 'controllerManager'] as const) expect(await leading(component)).toHaveLength(1);
    },
    90_000,
  );
  await eventually('its API server is out of the Service', async () => expect(await endpoints()).toHaveLength(2), 60_000);
  await cluster.kubectl('create', 'deployment', 'after', '--image=coxswain.local/guestbook:1', '--replicas=2', '--', 'sleep', '100000');
  await eventually(
    'new pods are scheduled and run',
    async () => {
      const pods = await cluster.pods<Pod>('app=after');
      expect(pods.filter(({ spec, status }) => spec.nodeName !== lost && status.phase === 'Running').length).toBeGreaterThan(0);
    },
    90_000,
  );
  const survivors = (pods: readonly Pod[]) =>
    pods
      .filter(({ spec }) => spec.nodeName !== lost)
      .map(({ spec, status }) => [spec.nodeName, status.containerStatuses[0]?.containerID, status.containerStatuses[0]?.restartCount]);
  expect(survivors(await cluster.pods<Pod>('app=web'))).toEqual(survivors(before));
});

test('up brings the host back, and down leaves nothing', async () => {
  await cluster.up();
  await eventually('all three are there', async () => expect(await endpoints()).toHaveLength(3), 60_000);
  const { config } = cluster;
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
});
