import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster. What operators do with kubectl, and that no part of the cluster is refused anything meanwhile.
const cluster = new ClusterFixture('t-operations');
const image = 'coxswain.local/guestbook:1';

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
  const sleep = 'trap exit TERM; while :; do sleep 0.1; done';
  await cluster.kubectl('create', 'deployment', 'web', `--image=${image}`, '--replicas=2', '--', 'sh', '-c', sleep);
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const aPod = async () => (await cluster.kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
const refused = async (...args: string[]) => (await cluster.kubectlRaw(args)).stderr;

test('rollouts pause, resume, restart and go back to a revision', async () => {
  await cluster.kubectl('rollout', 'pause', 'deployment/web');
  await cluster.kubectl('set', 'env', 'deployment/web', 'A=1');
  expect((await cluster.kubectl('get', 'rs', '-l', 'app=web', '-o', 'name')).trim().split('\n')).toHaveLength(1);
  await cluster.kubectl('rollout', 'resume', 'deployment/web');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.kubectl('rollout', 'restart', 'deployment/web');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(await refused('rollout', 'undo', 'deployment/web', '--to-revision=99')).toContain('unable to find specified revision 99 in history');
  await cluster.kubectl('rollout', 'undo', 'deployment/web', '--to-revision=1');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env}')).toBe('');
});

test('replace, prune, dry run', async () => {
  const web = join(cluster.folder, 'web.json');
  writeFileSync(web, (await cluster.kubectl('get', 'deployment', 'web', '-o', 'json')).replace('"replicas": 2,', '"replicas": 1,'));
  await cluster.kubectl('replace', '-f', web);
  await eventually('one replica', async () => expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.status.replicas}')).toBe('1'));
  const map = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, labels: {prune: me}}}\n---\n`;
  const maps = join(cluster.folder, 'maps.yaml');
  writeFileSync(maps, map('pa') + map('pb'));
  await cluster.kubectl('apply', '--prune', '-l', 'prune=me', '-f', maps);
  writeFileSync(maps, map('pa'));
  expect(await cluster.kubectl('apply', '--prune', '-l', 'prune=me', '-f', maps)).toContain('configmap/pb pruned');
  expect(await cluster.kubectl('create', 'configmap', 'dry', '--dry-run=server', '-o', 'name')).toBe('configmap/dry\n');
  expect(await refused('get', 'configmap', 'dry')).toContain('configmaps "dry" not found');
});

test('a node is cordoned, drained, tainted', async () => {
  const node = cluster.config.nodeName;
  await cluster.kubectl('cordon', node);
  expect(await cluster.kubectl('get', 'nodes')).toContain('Ready,SchedulingDisabled');
  await cluster.kubectl('run', 'waits', `--image=${image}`, '--', 'sleep', '1000');
  await eventually('the reason', async () =>
    expect(await cluster.kubectl('describe', 'pod', 'waits')).toMatch(/FailedScheduling.*0\/1 nodes are available: 1 node\(s\) were unschedulable/),
  );
  expect(await cluster.kubectl('drain', node, '--force', '--delete-emptydir-data', '--timeout=60s')).toMatch(/pod\/web-\S+ evicted[\s\S]*drained/);
  await cluster.kubectl('uncordon', node);
  await cluster.kubectl('wait', 'deployment/web', '--for=condition=Available', '--timeout=60s');
  await cluster.kubectl('taint', 'node', node, 'a=b:NoSchedule');
  expect(await cluster.kubectl('describe', 'node', node)).toMatch(/Taints: +a=b:NoSchedule/);
  await cluster.kubectl('taint', 'node', node, 'a-');
});

test('debug: a container beside, a pod on the node', async () => {
  const pod = await aPod();
  await cluster.kubectl('debug', pod, `--image=${image}`, '--target=guestbook', '--container=look', '--', 'sh', '-c', 'ps | grep trap');
  await eventually('what it saw', async () => expect(await cluster.kubectl('logs', pod, '-c', 'look')).toContain('trap exit TERM'));
  await cluster.kubectl('debug', `node/${cluster.config.nodeName}`, `--image=${image}`, '--', 'ls', '/host');
  await eventually('the root of the host', async () =>
    expect(await cluster.kubectl('logs', '-l', 'app.kubernetes.io/managed-by=kubectl-debug')).toMatch(/^usr$/m),
  );
});

test('proxy reaches the API, a pod and the kubelet', async () => {
  await cluster.kubectl('run', 'page', `--image=${image}`, '--port=8080', '--', 'httpd', '-f', '-p', '8080', '-h', '/www/front');
  await cluster.kubectl('wait', 'pod/page', '--for=condition=Ready', '--timeout=30s');
  const proxy = cluster.background('proxy', '--port=0');
  let text = '';
  proxy.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    const at = await eventually('the proxy', () => {
      const match = /127\.0\.0\.1:\d+/.exec(text);
      if (!match) throw new Error(text);
      return match[0];
    });
    const get = async (path: string) => (await fetch(`http://${at}${path}`)).text();
    expect(await get('/version')).toContain('"v1.36');
    expect(await get('/api/v1/namespaces/default/pods/page:8080/proxy/healthz')).toBe('ok\n');
    expect(await get(`/api/v1/nodes/${cluster.config.nodeName}/proxy/healthz`)).toBe('ok');
  } finally {
    proxy.kill();
  }
});

test('jobs, cron jobs, stateful sets, daemon sets, volume claims', async () => {
  await cluster.kubectl('create', 'job', 'once', `--image=${image}`, '--', 'echo', 'done');
  await cluster.kubectl('wait', 'job/once', '--for=condition=complete', '--timeout=30s');
  expect(await cluster.kubectl('logs', 'job/once')).toBe('done\n');
  await cluster.kubectl('create', 'cronjob', 'tick', `--image=${image}`, '--schedule=0 0 1 1 *', '--', 'true');
  await cluster.kubectl('create', 'job', 'ticked', '--from=cronjob/tick');
  await cluster.kubectl('wait', 'job/ticked', '--for=condition=complete', '--timeout=30s');
  const template = (app: string, more = '') =>
    `selector: {matchLabels: {app: ${app}}}, template: {metadata: {labels: {app: ${app}}}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "${image}", command: [sleep, "1000"]${more}}]}}`;
  await cluster.apply(`
{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {capacity: {storage: 1Mi}, accessModes: [ReadWriteOnce], hostPath: {path: ${join(cluster.folder, 'pv')}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: sts}, spec: {serviceName: sts, volumeClaimTemplates: [{metadata: {name: v}, spec: {storageClassName: "", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}], ${template('sts', ', volumeMounts: [{name: v, mountPath: /v}]')}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ds}, spec: {${template('ds')}}}
`);
  await cluster.kubectl('rollout', 'status', 'sts/sts', '--timeout=30s');
  await cluster.kubectl('rollout', 'status', 'ds/ds', '--timeout=30s');
  await cluster.kubectl('exec', 'sts-0', '--', 'touch', '/v/here');
  expect(existsSync(join(cluster.folder, 'pv/here'))).toBe(true);
  await cluster.kubectl('delete', 'sts/sts', 'ds/ds', 'pvc/v-sts-0', '--timeout=30s');
  await eventually('the volume is released', async () => expect(await cluster.kubectl('get', 'pv', 'pv', '-o', 'jsonpath={.status.phase}')).toBe('Released'));
});

test('what cannot be done says why', async () => {
  expect(await refused('logs', await aPod(), '--previous')).toMatch(/previous terminated container "guestbook" in pod "\S+" not found/);
  expect(await refused('patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"remove","path":"/nope"}]')).toContain('does not exist');
  expect(await refused('apply', '-f', '/dev/null')).toContain('no objects passed to apply');
  expect((await cluster.kubectlRaw(['apply', '-f', '-'], { input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a\n' })).stderr).toContain(
    'error converting YAML to JSON',
  );
  expect((await cluster.kubectlRaw(['create', '-f', '-'], { input: 'apiVersion: v9\nkind: Podd\nmetadata: {name: a}\n' })).stderr).toContain(
    'no matches for kind "Podd"',
  );
  expect(await refused('create', 'cronjob', 'bad', '--image=x', '--schedule=nope')).toContain('spec.schedule: Invalid value: "nope"');
  expect(await refused('exec', await aPod(), '--', '/no/such')).toMatch(/no such file or directory/i);
});

test('rows of what no store keeps', async () => {
  expect(await cluster.kubectl('get', 'deployment', 'web', '--subresource=scale')).toMatch(/NAME +DESIRED +AVAILABLE +AGE\nweb +1 +1 /);
  expect(await cluster.kubectl('get', 'componentstatuses')).toMatch(/etcd-0 +Healthy/);
});

test('nobody in the cluster was refused anything, and no log complains of leaks', () => {
  for (const role of ['control-plane', 'node']) {
    const lines = readFileSync(join(cluster.config.paths.logs, `${role}.log`), 'utf8').split('\n');
    const bad = /cannot \w+ resource|MaxListenersExceeded|[Uu]nhandled|DeprecationWarning/;
    expect(lines.filter((line) => bad.test(line)).map((line) => line.slice(0, 500))).toEqual([]);
  }
});
