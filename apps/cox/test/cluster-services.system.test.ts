import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callApi } from '@coxswain/sdk-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, command, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster. What one offers besides running pods: measurements (told by the metrics server, acted on by the
// autoscaler), and a way in for further nodes.
const cluster = new ClusterFixture('t-services');
const image = 'coxswain.local/guestbook:1';
const API_SERVICE = 'v1beta1.metrics.k8s.io';

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
  // Two containers: one works as hard as it may, one sleeps.
  await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  replicas: 1
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: work, image: "${image}", command: [sh, -c, "while :; do :; done"], resources: {requests: {cpu: 50m}, limits: {cpu: 200m}}}
      - {name: idle, image: "${image}", command: [sleep, "100000"], resources: {requests: {cpu: 10m}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: busy}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: busy}
  minReplicas: 1
  maxReplicas: 2
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
`);
  await cluster.kubectl('rollout', 'status', 'deployment/busy', '--timeout=60s');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const available = () => cluster.kubectl('get', 'apiservice', API_SERVICE, '-o', 'jsonpath={.status.conditions[?(@.type=="Available")].status}');

test('kubectl top tells what nodes and pods use', async () => {
  await eventually('the node', async () =>
    expect(await cluster.kubectl('top', 'nodes')).toMatch(new RegExp(`^${cluster.config.nodeName}\\s+\\d+m\\s+\\d+%\\s+\\d+Mi\\s+\\d+%`, 'm')),
  );
  await eventually('the containers', async () => {
    const lines = (await cluster.kubectl('top', 'pods', '--containers', '--no-headers', '-l', 'app=busy')).trim().split('\n');
    const used = Object.fromEntries(lines.map((line) => line.trim().split(/\s+/)).map(([, container, cpu]) => [container, Number.parseInt(cpu ?? '', 10)]));
    expect(Object.keys(used).sort()).toEqual(['idle', 'work']);
    expect(used.work).toBeGreaterThan(20);
    expect(used.idle).toBeLessThan(20);
  });
  expect((await cluster.kubectlRaw(['top', 'pod', 'nobody'])).stderr).toContain('pods.metrics.k8s.io "nobody" not found');
});

test('the autoscaler scales by it', async () => {
  await eventually('two replicas', async () => {
    const hpa = await cluster.json<{ status: { currentMetrics?: { resource: { current: { averageUtilization: number } } }[]; desiredReplicas: number } }>(
      'hpa',
      'busy',
    );
    expect(hpa.status.currentMetrics?.[0]?.resource.current.averageUtilization).toBeGreaterThan(50);
    expect(hpa.status.desiredReplicas).toBe(2);
  });
  await eventually('two pods', async () => expect(await cluster.kubectl('get', 'deployment', 'busy', '-o', 'jsonpath={.status.replicas}')).toBe('2'));
});

test('etcdctl looks into the embedded store', async () => {
  expect(await cluster.mustCox('etcdctl', '--name', cluster.name, 'get', '/registry/namespaces/kube-', '--prefix', '--keys-only')).toBe(
    ['kube-node-lease', 'kube-public', 'kube-system'].map((name) => `/registry/namespaces/${name}\n\n`).join(''),
  );
  expect(await cluster.mustCox('etcdctl', '--name', cluster.name, 'put', '/mine', 'x')).toBe('OK\n');
  expect(await cluster.mustCox('etcdctl', '--name', cluster.name, 'get', '/mine', '--print-value-only')).toBe('x\n');
  expect(await cluster.cox(['etcdctl', '--name', cluster.name, 'nonsense'])).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown command') });
});

test('a machine that knows a bootstrap token finds the cluster and gets a certificate', async () => {
  const [id, secret] = ['abcdef', '0123456789abcdef'];
  await cluster.apply(`
apiVersion: v1
kind: Secret
type: bootstrap.kubernetes.io/token
metadata: {name: bootstrap-token-${id}, namespace: kube-system}
stringData:
  token-id: ${id}
  token-secret: "${secret}"
  usage-bootstrap-authentication: "true"
  usage-bootstrap-signing: "true"
  auth-extra-groups: system:bootstrappers:kubeadm:default-node-token
`);
  const server = `https://${cluster.config.nodeIP}:${cluster.config.ports.apiServer}`;
  const stranger = { url: server, ca: readFileSync(join(cluster.config.paths.pki, 'ca.crt'), 'utf8') };
  let data: Record<string, string> = {};
  await eventually('the signature', async () => {
    ({ data } = (await callApi(stranger, 'GET', '/api/v1/namespaces/kube-public/configmaps/cluster-info')).json as { data: typeof data });
    expect(data[`jws-kubeconfig-${id}`]).toBeDefined();
  });
  // A detached JWS: whoever knows the token can tell that whoever knows the token has signed this.
  const [header = '', , signature] = (data[`jws-kubeconfig-${id}`] ?? '').split('.');
  const content = `${header}.${Buffer.from(data.kubeconfig ?? '').toString('base64url')}`;
  expect(createHmac('sha256', secret).update(content).digest('base64url')).toBe(signature);
  const info = JSON.parse(data.kubeconfig ?? '') as { clusters: { cluster: { server: string } }[] };
  expect(info.clusters[0]?.cluster.server).toBe(server);

  const joining = ['--kubeconfig=/dev/null', `--server=${server}`, '--insecure-skip-tls-verify', `--token=${id}.${secret}`];
  expect((await cluster.kubectlRaw([...joining, 'get', 'pods'])).stderr).toContain('User "system:bootstrap:abcdef" cannot list resource "pods"');
  const request = join(cluster.folder, 'node.csr');
  const made = await command('openssl', [
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(cluster.folder, 'node.key'), '-out', request],
    ...['-subj', '/O=system:nodes/CN=system:node:joining'],
  ]);
  expect(made.code, made.stderr).toBe(0);
  const csr = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'joining' },
    spec: {
      request: readFileSync(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    },
  };
  const created = await cluster.kubectlRaw([...joining, 'create', '-f', '-'], { input: JSON.stringify(csr) });
  expect(created.code, created.stderr).toBe(0);
  await eventually('the certificate', async () =>
    expect(await cluster.kubectl(...joining, 'get', 'csr', 'joining', '-o', 'jsonpath={.status.certificate}')).not.toBe(''),
  );
});

test('a control plane that was killed serves metrics again; without the metrics server nothing of it is left', async () => {
  cluster.killForGood('control-plane');
  await cluster.up();
  await eventually('its API', async () => expect(await available()).toBe('True'));
  await eventually('its measurements', async () => expect(await cluster.kubectl('top', 'nodes')).toContain(cluster.config.nodeName));
  await cluster.mustCox('down', '--name', cluster.name);
  await cluster.up('--no-metrics-server');
  expect((await cluster.kubectlRaw(['get', 'apiservice', API_SERVICE])).stderr).toContain('not found');
  expect((await cluster.kubectlRaw(['top', 'nodes'])).stderr).toContain('Metrics API not available');
});
