import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster. kubectl v1.35, unmodified, verb by verb.
const cluster = new ClusterFixture('t-kubectl');
const folder = mkdtempSync(join(tmpdir(), 'cox-kubectl-'));

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: coxswain.local/guestbook:1
          command: [sh, -c, 'echo started; exec httpd -f -p 8080 -h /www/front']
          ports: [{ containerPort: 8080 }]
`;
const deploymentFile = join(folder, 'web.yaml');

beforeAll(async () => {
  writeFileSync(deploymentFile, deployment);
  await cluster.up();
  await cluster.loadGuestbook();
  expect(await cluster.kubectl('apply', '-f', deploymentFile)).toContain('deployment.apps/web created');
  expect(await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')).toContain('successfully rolled out');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster[Symbol.asyncDispose]();
});

const aPod = async () => (await cluster.kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}')).trim();

test('get prints the columns people know, in every format', async () => {
  expect(await cluster.kubectl('get', 'deployments', '-o', 'wide')).toMatch(
    /NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +2\/2 +2 +2 /,
  );
  expect(await cluster.kubectl('get', 'pods', '-o', 'wide')).toMatch(
    /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n(web-\S+ +1\/1 +Running +0 +\S+ +10\.\d+\.\d+\.\d+ )/,
  );
  expect(await cluster.kubectl('get', 'nodes')).toMatch(/NAME +STATUS +ROLES +AGE +VERSION\n\S+ +Ready +\S+ +\S+ +v1\.36/);
  expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'yaml')).toMatch(/^apiVersion: apps\/v1\nkind: Deployment\n/);
  expect(JSON.parse(await cluster.kubectl('get', 'deployment', 'web', '-o', 'json'))).toMatchObject({ kind: 'Deployment', status: { readyReplicas: 2 } });
  expect(await cluster.kubectl('get', 'all', '-A')).toContain('service/kubernetes');
});

test('describe shows conditions and events', async () => {
  expect(await cluster.kubectl('describe', 'deployment', 'web')).toMatch(/Available +True +MinimumReplicasAvailable[\s\S]*ScalingReplicaSet/);
  expect(await cluster.kubectl('describe', 'pod', await aPod())).toMatch(/Status: +Running[\s\S]*Ready +True[\s\S]*Started/);
  expect(await cluster.kubectl('describe', 'node')).toMatch(/Ready +True +\S.*KubeletReady[\s\S]*Allocated resources/);
});

test('logs, also followed', async () => {
  const pod = await aPod();
  expect(await cluster.kubectl('logs', pod)).toBe('started\n');
  expect(await cluster.kubectl('logs', pod, '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\S+Z started\n$/);
  await cluster.apply(
    `{apiVersion: v1, kind: Pod, metadata: {name: ticks}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "coxswain.local/guestbook:1", command: [sh, -c, "i=0; while true; do echo tick $i; i=$((i+1)); sleep 0.2; done"]}]}}`,
  );
  await cluster.kubectl('wait', 'pod/ticks', '--for=condition=Ready', '--timeout=30s');
  const follow = cluster.background('logs', '-f', 'ticks');
  let text = '';
  follow.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('five ticks', () => expect(text).toContain('tick 5\n'), 15_000);
  follow.kill();
  expect(text.startsWith('tick 0\ntick 1\n')).toBe(true);
});

test('exec carries streams, exit codes and a terminal', async () => {
  const pod = await aPod();
  expect(await cluster.kubectl('exec', pod, '--', 'echo', 'hello')).toBe('hello\n');
  expect(await cluster.kubectlRaw(['exec', '-i', pod, '--', 'sh', '-c', 'cat; echo oops >&2; exit 7'], { input: 'from stdin' })).toMatchObject({
    code: 7,
    stdout: 'from stdin',
    stderr: expect.stringContaining('oops'),
  });
  // The terminal's size reaches the container; kubectl sends it once the session stands.
  const inside = 'tty; until stty size 2>&1 | grep 33; do sleep 0.1; done';
  const tty = cluster.terminal(`stty rows 33 cols 99; kubectl exec -it ${pod} -- sh -c '${inside}'`);
  let text = '';
  tty.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('the size', () => expect(text).toMatch(/\/dev\/pts\/\d+\r?\n33 99/));
});

test('attach', async () => {
  await cluster.apply(
    `{apiVersion: v1, kind: Pod, metadata: {name: echo}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "coxswain.local/guestbook:1", stdin: true, command: [sh, -c, "while read line; do echo got $line; done"]}]}}`,
  );
  await cluster.kubectl('wait', 'pod/echo', '--for=condition=Ready', '--timeout=30s');
  const attach = cluster.background('attach', '-i', 'echo');
  let text = '';
  attach.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('an answer', () => {
    attach.stdin?.write('ping\n');
    expect(text).toContain('got ping');
  });
  attach.kill();
});

test('leaving a terminal does not end what runs in it', async () => {
  await cluster.kubectl('run', 'shell', '-i', '-t', '--attach=false', '--image=coxswain.local/guestbook:1', '--command', '--', 'sh');
  await cluster.kubectl('wait', 'pod/shell', '--for=condition=Ready', '--timeout=30s');
  const attach = cluster.terminal('kubectl attach -it shell');
  let text = '';
  attach.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // The terminal echoes what is typed: the sum is what only the shell can say.
  await eventually('an answer', () => {
    attach.stdin?.write('echo $((40+2))\n');
    expect(text).toContain('42');
  });
  const left = new Promise((resolve) => attach.once('exit', resolve));
  attach.kill('SIGKILL');
  await left;
  await cluster.kubectl('exec', 'shell', '--', 'true');
  expect(await cluster.kubectl('exec', 'shell', '--', 'ps')).toMatch(/ 1 root +sh/);
  expect(await cluster.kubectl('get', 'pod', 'shell', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}')).toBe('0');
  await cluster.kubectl('delete', 'pod', 'shell', '--grace-period=0', '--force');
});

test('cp in both directions', async () => {
  const pod = await aPod();
  // cp needs tar in the image: busybox has it.
  writeFileSync(join(folder, 'there'), 'x'.repeat(100_000));
  await cluster.kubectl('cp', join(folder, 'there'), `${pod}:/tmp/there`);
  await cluster.kubectl('cp', `${pod}:/tmp/there`, join(folder, 'back'));
  expect(readFileSync(join(folder, 'back'), 'utf8')).toBe('x'.repeat(100_000));
});

test('port-forward', async () => {
  const forward = cluster.background('port-forward', 'deployment/web', ':8080');
  let text = '';
  forward.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    const port = await eventually('the forwarding', () => {
      const match = /127\.0\.0\.1:(\d+) ->/.exec(text);
      if (!match) throw new Error(`not yet: ${text}`);
      return match[1];
    });
    for (let i = 0; i < 5; i++) expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok\n');
  } finally {
    forward.kill();
  }
});

test('scale, set image, rollout history and undo', async () => {
  await cluster.kubectl('scale', 'deployment/web', '--replicas=3');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.kubectl('set', 'image', 'deployment/web', 'web=coxswain.local/guestbook:2');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(await cluster.kubectl('rollout', 'history', 'deployment/web')).toMatch(/REVISION[\s\S]*\n1 [\s\S]*\n2 /);
  await cluster.kubectl('rollout', 'undo', 'deployment/web');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('coxswain.local/guestbook:1');
});

test('label, annotate, edit, patch', async () => {
  await cluster.kubectl('label', 'deployment', 'web', 'team=blue');
  await cluster.kubectl('annotate', 'deployment', 'web', 'note=hello');
  expect(await cluster.kubectl('get', 'deployments', '-l', 'team=blue', '-o', 'name')).toBe('deployment.apps/web\n');
  const edit = await cluster.kubectlRaw(['edit', 'deployment', 'web'], { env: { KUBE_EDITOR: "sed -i 's/note: hello/note: edited/'" } });
  expect(edit.stdout).toContain('edited');
  expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.annotations.note}')).toBe('edited');
  for (const [type, patch] of [
    ['strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}'],
    ['merge', '{"metadata":{"labels":{"team":null}}}'],
    ['json', '[{"op":"add","path":"/metadata/labels/by","value":"json"}]'],
  ]) {
    await cluster.kubectl('patch', 'deployment', 'web', '--type', type as string, '-p', patch as string);
  }
  expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.labels}')).toBe('{"app":"web","by":"json"}');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
});

test('server-side apply: conflicts, force, managers', async () => {
  const mine = deployment.replace('name: web, labels: { app: web }', 'name: ssa, labels: { app: web }').replace('replicas: 2', 'replicas: 1');
  const file = join(folder, 'ssa.yaml');
  writeFileSync(file, mine);
  expect(await cluster.kubectl('apply', '--server-side', '-f', file)).toContain('serverside-applied');
  writeFileSync(file, mine.replace('replicas: 1', 'replicas: 2'));
  const conflict = await cluster.kubectlRaw(['apply', '--server-side', '--field-manager=other', '-f', file]);
  expect(conflict.code).toBe(1);
  expect(conflict.stderr).toMatch(/Apply failed with 1 conflict: conflict with "kubectl"[^\n]*: \.spec\.replicas/);
  await cluster.kubectl('apply', '--server-side', '--field-manager=other', '--force-conflicts', '-f', file);
  expect(await cluster.kubectl('get', 'deployment', 'ssa', '-o', 'jsonpath={.metadata.managedFields[*].manager}', '--show-managed-fields')).toContain('other');
  await cluster.kubectl('delete', 'deployment', 'ssa', '--cascade=foreground');
  expect(await cluster.kubectl('get', 'replicasets', '-o', 'name')).not.toContain('ssa');
});

test('diff', async () => {
  writeFileSync(deploymentFile, deployment.replace('replicas: 2', 'replicas: 5'));
  const diff = await cluster.kubectlRaw(['diff', '-f', deploymentFile]);
  expect(diff.code).toBe(1);
  expect(diff.stdout).toContain('+  replicas: 5');
});

test('explain, api-resources, api-versions, version, cluster-info', async () => {
  expect(await cluster.kubectl('explain', 'deployment.spec.strategy')).toMatch(/KIND: +Deployment[\s\S]*rollingUpdate\t<RollingUpdateDeployment>/);
  expect(await cluster.kubectl('explain', 'pod.spec.containers', '--recursive')).toContain('imagePullPolicy');
  expect(await cluster.kubectl('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
  expect(await cluster.kubectl('api-versions')).toContain('networking.k8s.io/v1');
  expect(await cluster.kubectl('version')).toMatch(/Server Version: v1\.36/);
  expect(await cluster.kubectl('cluster-info')).toContain('is running at');
});

test('auth can-i, create token, and what a service account may do', async () => {
  expect(await cluster.kubectl('auth', 'can-i', 'create', 'pods')).toBe('yes\n');
  await cluster.kubectl('create', 'serviceaccount', 'reader');
  const denied = await cluster.kubectlRaw(['auth', 'can-i', 'list', 'pods', '--as=system:serviceaccount:default:reader']);
  expect(denied).toMatchObject({ code: 1, stdout: 'no\n' });
  await cluster.kubectl('create', 'rolebinding', 'reader', '--clusterrole=view', '--serviceaccount=default:reader');
  await eventually('the binding counts', async () =>
    expect(await cluster.kubectl('auth', 'can-i', 'list', 'pods', '--as=system:serviceaccount:default:reader')).toBe('yes\n'),
  );
  const token = (await cluster.kubectl('create', 'token', 'reader')).trim();
  const server = (await cluster.kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim();
  const asReader = (...args: string[]) =>
    cluster.kubectlRaw(['--server', server, '--insecure-skip-tls-verify', '--token', token, ...args], { env: { KUBECONFIG: '/dev/null' } });
  expect((await asReader('get', 'pods', '-o', 'name')).stdout).toContain('pod/web');
  expect((await asReader('get', 'secrets')).stderr).toContain(
    'secrets is forbidden: User "system:serviceaccount:default:reader" cannot list resource "secrets" in API group "" in the namespace "default"',
  );
  expect(await cluster.kubectl('auth', 'whoami')).toContain('kubernetes-admin');
});

test('wait and delete', async () => {
  const wait = cluster.background('wait', 'deployment/web', '--for=delete', '--timeout=60s');
  const ended = new Promise<number | null>((resolve) => wait.on('close', resolve));
  await cluster.kubectl('delete', 'deployment', 'web');
  expect(await ended).toBe(0);
  await eventually('its pods are gone', async () => expect(await cluster.kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).toBe(''));
});

test('a namespace goes with everything in it', async () => {
  await cluster.kubectl('create', 'namespace', 'gone');
  await cluster.kubectl('-n', 'gone', 'create', 'deployment', 'web', '--image=coxswain.local/guestbook:1', '--', 'httpd', '-f', '-p', '8080');
  await cluster.kubectl('-n', 'gone', 'rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.kubectl('delete', 'namespace', 'gone', '--timeout=90s');
  expect((await cluster.kubectlRaw(['get', 'namespace', 'gone'])).stderr).toContain('namespaces "gone" not found');
});
