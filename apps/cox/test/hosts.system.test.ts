import { readdirSync, readFileSync } from 'node:fs';
import { hostLauncher, nodeViews, tracesOf } from '@coxswain/cluster';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, ClusterFixture, eventually } from './cluster-fixture.js';
import { guestbookSuite } from './guestbook-suite.js';
import { nodeSuite, startNodeChecks } from './node-suite.js';

// Slow: boots a whole cluster of three hosts, which run containers in three ways, and waits for a node to be given up.
const cluster = new ClusterFixture('t-hosts');

/** Of the tunnel: 1500 less 50. */
const MTU = 1450;
const GRACE_SECONDS = 20;

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
      containers:
        - name: web
          image: coxswain.local/guestbook:1
          command: [sh, -c, 'cd /tmp && dd if=/dev/urandom of=big bs=65536 count=32 2>/dev/null && exec httpd -f -p 8080 -h /tmp']
          readinessProbe: { httpGet: { path: /big, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: moving }
spec:
  replicas: 3
  selector: { matchLabels: { app: moving } }
  template:
    metadata: { labels: { app: moving } }
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: moving } } }
      tolerations:
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
      containers:
        - { name: sleep, image: 'coxswain.local/guestbook:1', command: [sh, -c, 'trap exit TERM; sleep 100000 & wait'] }
`;

interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  spec: { nodeName: string };
  status: { podIP: string; phase: string; containerStatuses: { containerID: string; ready: boolean }[] };
}
const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny }
spec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress] }
`;
const allowMoving = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: allow }
spec:
  podSelector: { matchLabels: { app: web } }
  ingress: [{ from: [{ podSelector: { matchLabels: { app: moving } } }], ports: [{ port: 8080 }] }]
`;

interface Service {
  spec: { clusterIP: string; ports: { nodePort: number }[] };
  status: { loadBalancer: { ingress?: { ip: string }[] } };
}

const pods = async (app: string): Promise<Pod[]> => (await cluster.pods<Pod>(`app=${app}`)).sort((a, b) => (a.spec.nodeName < b.spec.nodeName ? -1 : 1));
/** What `cox node exec` does, without a second Node.js. */
async function onHost(node: string, ...args: string[]): Promise<string> {
  const view = nodeViews(cluster.config).find(({ nodeName }) => nodeName === node);
  if (!view) throw new Error(`no host ${node}`);
  const [program = '', ...rest] = [...hostLauncher(view), ...args];
  const { code, stdout, stderr } = await command(program, rest);
  if (code !== 0) throw new Error(`${args.join(' ')} on ${node}: ${stderr}`);
  return stdout;
}
const exec = (pod: Pod, line: string) => cluster.kubectl('exec', pod.metadata.name, '--', 'sh', '-c', line);
const readyNodes = async () =>
  (await cluster.client.api.nodes().list({ signal: AbortSignal.timeout(5000) })).items
    .filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .map(({ metadata }) => metadata.name)
    .sort();

/** A host fetches; one line an answer, with status and size. */
const fetchOn = (node: string, urls: readonly string[]) =>
  onHost(
    node,
    process.execPath,
    '-e',
    `Promise.all(${JSON.stringify(urls)}.map(async (url) => {
       const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
       return url + ' ' + answer.status + ' ' + (await answer.arrayBuffer()).byteLength;
     })).then((lines) => console.log(lines.join('\\n')))`,
  );

/** The first process of the pod's container, whose network namespace is the pod's; others, of an exec, may be about to end. */
function pidOf(pod: Pod): number {
  const id = pod.status.containerStatuses[0]?.containerID.split('://')[1] ?? 'none';
  for (const entry of readdirSync('/proc')) {
    try {
      if (!/^\d+$/.test(entry) || !readFileSync(`/proc/${entry}/cgroup`, 'utf8').includes(id)) continue;
      if (/^NSpid:.*\t1$/m.test(readFileSync(`/proc/${entry}/status`, 'utf8'))) return Number(entry);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no process of ${pod.metadata.name}`);
}
const inPod = (pod: Pod, script: string, ...args: string[]) =>
  command('nsenter', [`--net=/proc/${pidOf(pod)}/ns/net`, process.execPath, '-e', script, ...args], { timeoutMs: 20_000 });

const echoServer = `
const server = require('node:dgram').createSocket('udp4');
server.on('message', (message, from) => server.send(message, from.port, from.address, () => server.close()));
server.bind(9000);
setTimeout(() => process.exit(1), 15_000).unref();`;
// Linux marks datagrams as not to be cut unless told otherwise; each is tried again until the server listens.
const echoClient = `
const [address, size] = process.argv.slice(1);
const client = require('node:dgram').createSocket('udp4');
client.on('message', (message) => { console.log(message.length); process.exit(0); });
client.on('error', (error) => { console.error(error.message); process.exit(1); });
const send = () => client.send(Buffer.alloc(Number(size), 7), 9000, address);
send();
setInterval(send, 200);
setTimeout(() => process.exit(2), 10_000);`;

/** As `node-4`, with the image. */
async function addNode(): Promise<void> {
  await cluster.mustCox('node', 'add', '--cluster', cluster.name, '--runtime', 'crio');
  await cluster.mustCox('image', 'load', '--name', cluster.name, '--node', 'node-4', `${cluster.folder}/guestbook.tar`);
}

beforeAll(async () => {
  await cluster.up('--nodes', '3', '--runtime', 'docker,crio,containerd', '--pod-network', 'vxlan', '--node-monitor-grace-period', String(GRACE_SECONDS));
  await cluster.loadGuestbook();
  await cluster.apply(web);
  // They run while other things are looked at.
  await startNodeChecks(cluster);
  await cluster.kubectl('rollout', 'status', 'daemonset/web', '--timeout=90s');
  await cluster.kubectl('rollout', 'status', 'deployment/moving', '--timeout=90s');
});
afterAll(() => cluster[Symbol.asyncDispose]());

test('three nodes are Ready, and status shows the hosts with all their processes', async () => {
  expect(await readyNodes()).toEqual(['node-1', 'node-2', 'node-3']);
  const status = JSON.parse(await cluster.mustCox('status', '--name', cluster.name, '-o', 'json')) as {
    processes: { name: string; running: boolean }[];
    nodes: { name: string; address: string; ready: boolean }[];
  };
  expect(status.processes.every(({ running }) => running)).toBe(true);
  expect(status.processes.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['load-balancer', 'node-1/control-plane', 'node-2/node', 'node-3/containerd']),
  );
  expect(new Set(status.nodes.map(({ address }) => address)).size).toBe(3);
  const runtimes = await cluster.kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}');
  expect(runtimes).toMatch(/^docker:\S+ cri-o:\S+ containerd:\S+$/);
  for (const view of nodeViews(cluster.config)) {
    const [program = '', ...args] = [...hostLauncher(view), 'hostname'];
    expect((await command(program, args)).stdout.trim()).toBe(view.nodeName);
  }
});

test('pod to pod across hosts: TCP and UDP at the full MTU', async () => {
  const all = await pods('web');
  expect(all.map(({ spec }) => spec.nodeName)).toEqual(['node-1', 'node-2', 'node-3']);
  const sums = await Promise.all(all.map(async (pod) => (await exec(pod, 'sha256sum < /tmp/big')).trim()));
  expect(new Set(sums).size).toBe(3);
  await Promise.all(
    all.map(async (from) => {
      const fetchOf = ({ status }: Pod) => `wget -q -O - http://${status.podIP}:8080/big | sha256sum`;
      const told = await exec(from, ['cat /sys/class/net/eth0/mtu', ...all.map(fetchOf)].join('; '));
      expect(told.trim().split('\n'), from.spec.nodeName).toEqual([String(MTU), ...sums]);
    }),
  );
  const [first, second] = all as [Pod, Pod, Pod];
  const size = MTU - 28;
  const [server, client] = await Promise.all([inPod(second, echoServer), inPod(first, echoClient, second.status.podIP, String(size))]);
  expect(client).toEqual({ code: 0, stdout: `${size}\n`, stderr: '' });
  expect(server.code).toBe(0);
});

test('ClusterIP and NodePort answer on every host, and pods reach the API server and DNS on each', async () => {
  const { spec } = await cluster.json<Service>('service', 'web');
  const addresses = nodeViews(cluster.config).map(({ nodeIP }) => nodeIP);
  const onNode = async (node: string) => {
    const urls = [`http://${spec.clusterIP}/big`, ...addresses.map((ip) => `http://${ip}:${spec.ports[0]?.nodePort}/big`)];
    expect((await fetchOn(node, urls)).trim().split('\n'), node).toEqual(urls.map((url) => `${url} 200 ${32 * 65536}`));
  };
  const fromPod = async (pod: Pod) => {
    expect(await exec(pod, `nslookup kubernetes.default.svc.cluster.local ${cluster.config.dnsIP}`)).toContain(`Address: ${cluster.config.apiServiceIP}`);
    const api = await inPod(
      pod,
      `process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; fetch('https://${cluster.config.apiServiceIP}/readyz').then((r) => console.log(r.status))`,
    );
    expect(api.stdout.trim(), pod.spec.nodeName).toBe('200');
  };
  // Each host's proxy and DNS learn of pods in their own time.
  const onNodes = ['node-1', 'node-2', 'node-3'].map((node) => eventually(`${node} reaches the service`, () => onNode(node)));
  const fromPods = (await pods('web')).map((pod) => eventually(`${pod.metadata.name} reaches DNS and the API server`, () => fromPod(pod)));
  await Promise.all([...onNodes, ...fromPods]);
});

test('a load balancer answers from the machine, and with externalTrafficPolicy Local from a host that has a pod', async () => {
  const address = await eventually('it has an address', async () => {
    const { status } = await cluster.json<Service>('service', 'web');
    expect(status.loadBalancer.ingress).toHaveLength(1);
    return status.loadBalancer.ingress?.[0]?.ip ?? '';
  });
  const size = async () => (await (await fetch(`http://${address}/big`, { signal: AbortSignal.timeout(5000) })).arrayBuffer()).byteLength;
  await eventually('it answers', async () => expect(await size()).toBe(32 * 65536));
  const [only] = (await pods('web')) as [Pod, Pod, Pod];
  await cluster.kubectl('label', 'pod', only.metadata.name, 'chosen=yes');
  const local = { spec: { externalTrafficPolicy: 'Local', selector: { chosen: 'yes' } } };
  await cluster.kubectl('patch', 'service', 'web', '-p', JSON.stringify(local));
  const host = nodeViews(cluster.config).find(({ nodeName }) => nodeName === only.spec.nodeName)?.nodeIP ?? '';
  await eventually('it leads to the host of the one pod', async () =>
    expect((await command('ip', ['route', 'get', address])).stdout).toContain(`${address} via ${host} `),
  );
  await eventually('it answers there', async () => expect(await size()).toBe(32 * 65536));
  await cluster.kubectl('patch', 'service', 'web', '-p', JSON.stringify({ spec: { externalTrafficPolicy: 'Cluster', selector: { chosen: null } } }));
});

test('a policy that lets nobody in holds on every host, and so does its exception', async () => {
  const [movingPods, webPods] = [await pods('moving'), await pods('web')];
  const reach = async (from: Pod, to: Pod) => {
    const line = `timeout 3 wget -q -O /dev/null http://${to.status.podIP}:8080/big && echo in || echo out`;
    return (await exec(from, line)).trim();
  };
  // Each host's pods, from one on another host.
  const results = (sources: readonly Pod[]) =>
    Promise.all(webPods.map((to) => reach(sources.find(({ spec }) => spec.nodeName !== to.spec.nodeName) as Pod, to)));
  expect(await results(movingPods)).toEqual(['in', 'in', 'in']);
  await cluster.apply(denyAll);
  await eventually('nobody gets in', async () => expect(await results(movingPods)).toEqual(['out', 'out', 'out']), 60_000);
  await cluster.apply(allowMoving);
  await eventually('the exception gets in', async () => expect(await results(movingPods)).toEqual(['in', 'in', 'in']), 60_000);
  expect(await results(webPods)).toEqual(['out', 'out', 'out']);
  // Their own kubelets are never kept out.
  expect((await pods('web')).map(({ status }) => status.containerStatuses[0]?.ready)).toEqual([true, true, true]);
  await cluster.kubectl('delete', 'networkpolicy', '--all');
  await eventually('all get in again', async () => expect(await results(webPods)).toEqual(['in', 'in', 'in']), 60_000);
});

describe('the guestbook, on three runtimes', () => {
  guestbookSuite(() => cluster);
});
describe('a tour of nodes, of three runtimes', () => {
  nodeSuite(() => cluster, true);
});

test('a host that is cut off is not ready, its pods are replaced in time, and it comes back clean; another joins meanwhile', async () => {
  expect((await pods('moving')).map(({ spec }) => spec.nodeName)).toEqual(['node-1', 'node-2', 'node-3']);
  const begun = performance.now();
  await onHost('node-3', 'ip', 'link', 'set', 'eth0', 'down');
  const within = (GRACE_SECONDS + 60) * 1000;
  const others = async () => (await readyNodes()).filter((name) => name !== 'node-4');
  const joined = addNode();
  joined.catch(() => {});
  await eventually('node-3 is not ready', async () => expect(await others()).toEqual(['node-1', 'node-2']), within);
  const replaced = async () => {
    const running = (await pods('moving')).filter(({ metadata, status }) => !metadata.deletionTimestamp && status.containerStatuses?.[0]?.ready);
    expect(running.map(({ spec }) => spec.nodeName === 'node-3')).toEqual([false, false, false]);
  };
  await eventually('the pods are replaced', replaced, within);
  expect((performance.now() - begun) / 1000).toBeLessThan(GRACE_SECONDS + 60);
  const [first, second] = (await pods('web')) as [Pod, Pod];
  await joined;
  // More often than there are DNS servers: none may be lost on the one that is gone.
  const lookUps = `for i in 1 2 3 4 5 6; do nslookup web.default.svc.cluster.local ${cluster.config.dnsIP} || exit 1; done`;
  for (const answers of await Promise.all([first, second].map((pod) => exec(pod, lookUps)))) expect(answers.match(/^Address: /gm)).toHaveLength(6);
  const { status } = await cluster.json<Service>('service', 'web');
  await eventually('the load balancer leads to another host', async () =>
    expect((await fetch(`http://${status.loadBalancer.ingress?.[0]?.ip}/big`, { signal: AbortSignal.timeout(5000) })).status).toBe(200),
  );
  await onHost('node-3', 'ip', 'link', 'set', 'eth0', 'up');
  await eventually('node-3 is ready again', async () => expect(await others()).toEqual(['node-1', 'node-2', 'node-3']), within);
  await eventually('its old pods are gone', async () => expect(await pods('moving')).toHaveLength(3), within);
  await eventually(
    'routes are there again',
    async () => {
      const [from, , to] = (await pods('web')) as [Pod, Pod, Pod];
      expect(to.status.containerStatuses[0]?.ready).toBe(true);
      expect(await exec(from, `wget -q -O - http://${to.status.podIP}:8080/big | wc -c`)).toContain(String(32 * 65536));
      expect(await onHost('node-3', 'ip', 'route', 'show', 'default')).toContain('default via');
    },
    within,
  );
});

test('a node that was added runs pods, and is removed again', async () => {
  await cluster.kubectl('rollout', 'status', 'daemonset/web', '--timeout=90s');
  const all = await pods('web');
  const newcomer = all.find(({ spec }) => spec.nodeName === 'node-4');
  const toNewcomer = `wget -q -O - http://${newcomer?.status.podIP}:8080/big | wc -c`;
  for (const told of await Promise.all(all.filter((each) => each !== newcomer).map((pod) => exec(pod, toNewcomer)))) expect(told).toContain(String(32 * 65536));
  expect((await cluster.mustCox('node', 'exec', '--cluster', cluster.name, 'node-4', '--', 'hostname')).trim()).toBe('node-4');
  expect((await onHost('node-1', 'ip', 'route', 'show', 'dev', 'cox-vxlan')).trim().split('\n')).toHaveLength(3);
  await cluster.mustCox('node', 'remove', '--cluster', cluster.name, 'node-4');
  expect(await readyNodes()).toEqual(['node-1', 'node-2', 'node-3']);
  await eventually('its route is forgotten', async () =>
    expect((await onHost('node-1', 'ip', 'route', 'show', 'dev', 'cox-vxlan')).trim().split('\n')).toHaveLength(2),
  );
  const refused = await cluster.cox(['node', 'remove', '--cluster', cluster.name, 'node-1']);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('node-1 runs the control plane');
});

test('up repairs what kill -9 of everything has left, pods go on, and down leaves nothing', async () => {
  const before = (await pods('web')).map(({ metadata, status }) => `${metadata.name} ${status.podIP} ${status.containerStatuses[0]?.containerID}`);
  const nodes = ['node-1/node', 'node-2/node', 'node-3/node'];
  cluster.killWithSupervisors(...nodes, 'node-1/control-plane', 'node-1/dockerd', 'node-3/containerd', 'load-balancer');
  await cluster.up();
  expect((await pods('web')).map(({ metadata, status }) => `${metadata.name} ${status.podIP} ${status.containerStatuses[0]?.containerID}`)).toEqual(before);
  const { config } = cluster;
  cluster.killForGood('node-1/node', 'node-3/containerd');
  await cluster.mustCox('down', '--name', cluster.name);
  expect(await tracesOf(config)).toEqual([]);
});
