import type { KubeObject } from '@coxswain/api';
import { KubeClient } from '@coxswain/client';
import type { Transport, TransportRequest, TransportResponse, TransportStream } from '@coxswain/client';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { FakeRandom } from '@coxswain/sdk-testing';
import { Resolver } from 'node:dns/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterDns } from './cluster-dns.js';

/** A little API server: objects by path, and watches that see each change. */
class FakeApi implements Transport {
  readonly objects = new Map<string, KubeObject>();
  readonly #watches = new Set<{ path: string; send(event: object): void }>();
  #version = 1;
  #waiting: { done(): boolean; resolve(): void }[] = [];

  async request({ method, path, body }: TransportRequest): Promise<TransportResponse> {
    const given = body === undefined ? undefined : (JSON.parse(String(body)) as KubeObject);
    const found = this.objects.get(path);
    if (method === 'GET' && COLLECTION.test(path)) return answer(200, { items: this.#under(path), metadata: { resourceVersion: String(this.#version) } });
    if (method === 'POST' && given) {
      const at = `${path}/${given.metadata.name}`;
      if (this.objects.has(at)) return answer(409, { kind: 'Status', status: 'Failure', reason: 'AlreadyExists', code: 409 });
      return answer(201, this.put(at, given));
    }
    if (!found) return answer(404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'not found' });
    if (method === 'PUT' && given) return answer(200, this.put(path, given));
    if (method === 'DELETE') this.remove(path);
    return answer(200, found);
  }

  async stream({ path, signal }: TransportRequest): Promise<TransportStream> {
    let wake = () => {};
    const queue: Uint8Array[] = [];
    const watch = {
      path,
      send: (event: object) => {
        queue.push(Buffer.from(`${JSON.stringify(event)}\n`));
        wake();
      },
    };
    this.#watches.add(watch);
    signal?.addEventListener('abort', () => wake());
    const watches = this.#watches;
    async function* chunks() {
      while (!signal?.aborted) {
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      watches.delete(watch);
    }
    return { status: 200, headers: {}, chunks: chunks() };
  }

  async close(): Promise<void> {}

  put(path: string, object: KubeObject): KubeObject {
    const type = this.objects.has(path) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.objects.set(path, stored);
    this.#tell(path, { type, object: stored });
    return stored;
  }

  remove(path: string): void {
    const object = this.objects.get(path);
    this.objects.delete(path);
    this.#version++;
    this.#tell(path, { type: 'DELETED', object: { ...object, metadata: { ...object?.metadata, resourceVersion: String(this.#version) } } });
  }

  /** Resolves once `done` holds, checked at every change. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  #under(collection: string): KubeObject[] {
    return [...this.objects].filter(([path]) => within(path, collection)).map(([, object]) => object);
  }

  #tell(path: string, event: object): void {
    for (const watch of this.#watches) if (within(path, watch.path)) watch.send(event);
    this.#waiting = this.#waiting.filter(({ done, resolve }) => !done() || resolve());
  }
}

const COLLECTION = /\/(services|endpointslices|namespaces)$/;
const within = (path: string, collection: string) => path.replace(/\/namespaces\/[^/]+\/(?=.*\/)/, '/').replace(/\/[^/]+$/, '') === collection;
const answer = (status: number, object: object): TransportResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(object)),
});

const SERVICE = '/api/v1/namespaces/kube-system/services/kube-dns';
const SLICE = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns-n1';

let api: FakeApi;
let dns: ClusterDns;
beforeEach(() => {
  api = new FakeApi();
  api.put('/api/v1/namespaces/kube-system', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });
  dns = new ClusterDns({
    client: new KubeClient({ transport: api, clock: systemClock }),
    clock: systemClock,
    random: new FakeRandom(),
    logger: silentLogger,
    address: '127.0.0.1',
    port: 0,
    serve: { address: '127.0.0.1', port: 0 },
    nodeName: 'n1',
    upstreams: [],
  });
});
afterEach(() => dns.stop(AbortSignal.abort()));

const start = () => dns.start(new AbortController().signal);
const resolver = () => {
  const r = new Resolver({ timeout: 1000, tries: 1 });
  r.setServers([`127.0.0.1:${dns.port}`]);
  return r;
};
const get = (path: string) => fetch(`http://127.0.0.1:${dns.servePort}${path}`);

test('publishes itself, serves what the API says, and takes itself back', async () => {
  await start();
  expect(api.objects.get(SERVICE)).toMatchObject({
    spec: { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53 }, { name: 'dns-tcp' }, { name: 'metrics', port: 9153 }] },
  });
  expect(api.objects.get(SLICE)).toMatchObject({
    metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    endpoints: [{ addresses: ['127.0.0.1'], nodeName: 'n1' }],
    ports: [{ name: 'dns', port: dns.port, protocol: 'UDP' }, { name: 'dns-tcp', port: dns.port, protocol: 'TCP' }, { port: dns.servePort }],
  });
  expect((await get('/readyz')).status).toBe(200);
  // Its own Service comes back through the watch.
  await expect
    .poll(() =>
      resolver()
        .resolve4('kube-dns.kube-system.svc.cluster.local')
        .catch(() => []),
    )
    .toEqual(['10.96.0.10']);
  await expect(resolver().resolve4('example.org')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  expect(await (await get('/metrics')).text()).toMatch(/coredns_dns_responses_total\{.*rcode="SERVFAIL".*\} 1/);
  await dns.stop(new AbortController().signal);
  expect([api.objects.has(SERVICE), api.objects.has(SLICE)]).toEqual([true, false]);
});

test('puts back what is deleted or changed', async () => {
  await start();
  api.remove(SLICE);
  await api.until(() => api.objects.has(SLICE));
  api.remove(SERVICE);
  await api.until(() => api.objects.has(SERVICE));
  const slice = api.objects.get(SLICE) as KubeObject & { endpoints: object[] };
  api.put(SLICE, { ...slice, endpoints: [] } as KubeObject);
  await api.until(() => (api.objects.get(SLICE) as unknown as { endpoints: object[] }).endpoints.length === 1);
});

test('leaves a DNS of somebody else alone, and says so', async () => {
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  api.put(SERVICE, { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: '10.96.0.10', selector: { 'k8s-app': 'kube-dns' } } } as KubeObject);
  await start();
  expect(api.objects.has(SLICE)).toBe(false);
  expect((await get('/readyz')).status).toBe(500);
  expect(await (await get('/readyz/service')).text()).toContain('another DNS is installed');
});
