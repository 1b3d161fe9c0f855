import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { decodeEnvelope, decodeMessage, type StructSchema } from '@coxswain/api';
import { apiServerRuntime } from '@coxswain/apiserver';
import { issueCertificate } from '@coxswain/pki';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { apiServerSuite, type ApiTarget, callApi } from '@coxswain/sdk-testing';
import { type Primary, startPrimary } from '@coxswain/testing';
import { expect, it } from 'vitest';
import { nodeMetricsMessage, podMetricsMessage } from './metrics-messages.js';
import { MetricsServer } from './metrics-server.js';

const READY_MS = 20;

/** A kubelet that says what its node and pods use; its CPU counters go up by what is asked for, ask by ask. */
async function startKubelet({ authority }: Primary) {
  const now = systemClock.now();
  const { cert, key } = await issueCertificate(authority, {
    usage: 'server',
    subject: { commonName: 'system:node:n1' },
    ipAddresses: ['127.0.0.1'],
    now,
    validForMs: 3_600_000,
  });
  const seen: { path: string; user: string }[] = [];
  let asked = 0;
  const server = createServer({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
    seen.push({ path: request.url ?? '', user: String(peer.subject.CN) });
    asked++;
    // A second of measured time passes with every ask.
    const at = now + asked * 1000;
    response.end(
      [
        `node_cpu_usage_seconds_total ${asked * 0.5} ${at}`,
        `node_memory_working_set_bytes 1073741824 ${at}`,
        ...['web', 'db'].flatMap((pod) => [
          `container_cpu_usage_seconds_total{container="main",namespace="default",pod="${pod}"} ${asked * 0.25} ${at}`,
          `container_memory_working_set_bytes{container="main",namespace="default",pod="${pod}"} 2097152 ${at}`,
          `container_start_time_seconds{container="main",namespace="default",pod="${pod}"} ${now / 1000 - 3600}`,
        ]),
        '',
      ].join('\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function makeNodesAndPods({ client }: Primary, port: number): Promise<void> {
  for (const [name, address, kubelet] of [
    ['n1', '127.0.0.1', port],
    // Nobody listens there: it must not hold up the other.
    ['n2', '127.0.0.1', 1],
  ] as const) {
    await client.api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { disk: name === 'n1' ? 'fast' : 'slow' } } });
    const status = { addresses: [{ type: 'InternalIP', address }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet } } };
    await client.api.nodes().patch(name, 'merge', { status }, { subresource: 'status' });
  }
  await client.api.serviceAccounts('default').create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  for (const name of ['web', 'db', 'unmeasured']) {
    const spec = { nodeName: 'n1', containers: [{ name: 'main', image: 'x' }] };
    await client.api.pods('default').create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec });
    await client.api.pods('default').patch(name, 'merge', { status: { phase: 'Running' } }, { subresource: 'status' });
  }
}

async function start() {
  const primary = await startPrimary();
  const kubelet = await startKubelet(primary);
  await makeNodesAndPods(primary, kubelet.port);
  const server = new MetricsServer({
    runtime: apiServerRuntime({ clock: systemClock, random: systemRandom, logger: silentLogger }),
    clock: systemClock,
    logger: silentLogger,
    kubeconfig: await primary.kubeconfig('metrics-server', ['system:masters']),
    address: '127.0.0.1',
    resolutionMs: 100,
  });
  await server.start(new AbortController().signal);
  await primary.register(server);
  const target: ApiTarget = { url: primary.url, ca: primary.ca, token: primary.adminToken };
  while ((await callApi({ url: server.endpoint.url, ca: server.endpoint.caBundle }, 'GET', '/readyz')).status !== 200) await systemClock.sleep(READY_MS);
  while ((await callApi(target, 'GET', '/apis/metrics.k8s.io/v1beta1/pods')).json.items?.length !== 2) await systemClock.sleep(READY_MS);
  return {
    primary,
    kubelet,
    server,
    target,
    async stop() {
      await server.stop(AbortSignal.timeout(5000));
      await kubelet.close();
      await primary[Symbol.asyncDispose]();
    },
  };
}

apiServerSuite({
  name: 'metrics-server',
  async start() {
    const { primary, server, target, stop } = await start();
    return {
      server,
      primary: target,
      nobodyToken: 'bob',
      frontProxy: primary.frontProxy,
      kinds: [
        { version: 'v1beta1', plural: 'nodes', kind: 'NodeMetrics', existing: ['n1'] },
        { version: 'v1beta1', plural: 'pods', kind: 'PodMetrics', namespace: 'default', existing: ['web', 'db'] },
      ],
      stop,
    };
  },
});

it('tells what nodes and pods use, by label too, and asks kubelets as itself', async () => {
  const { target, kubelet, stop } = await start();
  try {
    const root = '/apis/metrics.k8s.io/v1beta1';
    const { json: node } = await callApi(target, 'GET', `${root}/nodes/n1`);
    expect(node).toMatchObject({ metadata: { name: 'n1', labels: { disk: 'fast' } }, usage: { cpu: '500m', memory: '1Gi' } });
    expect(node.window).toMatch(/^\d+s$/);
    expect(Date.parse(node.timestamp)).not.toBeNaN();
    const { json: pods } = await callApi(target, 'GET', `${root}/namespaces/default/pods?labelSelector=app%3Dweb`);
    expect(pods.items).toHaveLength(1);
    expect(pods.items[0]).toMatchObject({
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      containers: [{ name: 'main', usage: { cpu: '250m', memory: '2Mi' } }],
    });
    expect((await callApi(target, 'GET', `${root}/nodes?labelSelector=disk%3Dslow`)).json.items).toEqual([]);
    expect((await callApi(target, 'GET', `${root}/namespaces/default/pods/unmeasured`)).status).toBe(404);
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = (await callApi(target, 'GET', `${root}/nodes`, undefined, { accept })).json;
    expect(table.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'cpu', 'memory', 'Window']);
    expect(table.columnDefinitions.map((column: { format: string }) => column.format)).toEqual(['name', 'quantity', 'quantity', 'duration']);
    expect(table.rows[0].cells.slice(0, 3)).toEqual(['n1', '500m', '1Gi']);
    expect(new Set(kubelet.seen.map(({ path, user }) => `${path} ${user}`))).toEqual(new Set(['/metrics/resource metrics-server']));
  } finally {
    await stop();
  }
});

it('answers in protobuf, through the primary too', async () => {
  const { target, stop } = await start();
  try {
    const root = '/apis/metrics.k8s.io/v1beta1';
    const accept = 'application/vnd.kubernetes.protobuf';
    const asked = async (path: string) => {
      const { status, headers, bytes } = await callApi(target, 'GET', `${root}/${path}`, undefined, { accept });
      expect([status, headers['content-type']]).toEqual([200, accept]);
      return decodeEnvelope(bytes);
    };
    const node = await asked('nodes/n1');
    expect(node).toMatchObject({ apiVersion: 'metrics.k8s.io/v1beta1', kind: 'NodeMetrics' });
    expect(decodeMessage(node.raw, nodeMetricsMessage)).toMatchObject({
      metadata: { name: 'n1', labels: { disk: 'fast' } },
      timestamp: expect.stringMatching(/^20\d\d-.*Z$/),
      window: expect.stringMatching(/^\d+s$/),
      usage: { cpu: '500m', memory: '1Gi' },
    });
    const pods = await asked('namespaces/default/pods?labelSelector=app%3Dweb');
    expect(pods.kind).toBe('PodMetricsList');
    const list: StructSchema = { fields: { items: { type: { kind: 'list', items: { kind: 'struct', ...podMetricsMessage } }, proto: 2 } } };
    expect(decodeMessage(pods.raw, list).items).toMatchObject([
      { metadata: { name: 'web', namespace: 'default' }, containers: [{ name: 'main', usage: { cpu: '250m', memory: '2Mi' } }] },
    ]);
    const partial = await callApi(target, 'GET', `${root}/nodes`, undefined, { accept: `${accept};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io` });
    expect(decodeEnvelope(partial.bytes).kind).toBe('PartialObjectMetadataList');
  } finally {
    await stop();
  }
});
