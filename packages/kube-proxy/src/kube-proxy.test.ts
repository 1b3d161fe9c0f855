import type { EndpointSlice, KubeObject, Service } from '@coxswain/api';
import { KubeClient, type Transport, type TransportRequest } from '@coxswain/client';
import { type ServiceDelta, type ServicePortSpec, type ServiceProxy, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeProxy } from './kube-proxy.js';

/** An API server of two resources: lists what it holds, and pushes what `put` and `remove` change to its watchers. */
class FakeApi implements Transport {
  private version = 1;
  private readonly objects = new Map<string, KubeObject>();
  private readonly watchers = new Set<{ path: string; push: (event: unknown) => void }>();
  private readonly path = (o: KubeObject) => (o.kind === 'Service' ? '/api/v1/services' : '/apis/discovery.k8s.io/v1/endpointslices');
  private emit(type: string, object: KubeObject): void {
    for (const w of this.watchers) if (w.path === this.path(object)) w.push({ type, object });
  }
  put(object: KubeObject): void {
    const key = `${object.kind}/${object.metadata.name}`;
    const type = this.objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, uid: key, resourceVersion: String(++this.version) } };
    this.objects.set(key, stored);
    this.emit(type, stored);
  }
  remove(object: KubeObject): void {
    const key = `${object.kind}/${object.metadata.name}`;
    const stored = this.objects.get(key);
    this.objects.delete(key);
    if (stored) this.emit('DELETED', { ...stored, metadata: { ...stored.metadata, resourceVersion: String(++this.version) } });
  }
  async request({ path }: TransportRequest) {
    const items = [...this.objects.values()].filter((o) => this.path(o) === path);
    const list = { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(this.version) }, items };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(list)) };
  }
  async stream({ path, query, signal }: TransportRequest) {
    const events: unknown[] = [];
    if (query?.includes('sendInitialEvents=true')) {
      for (const object of this.objects.values()) if (this.path(object) === path) events.push({ type: 'ADDED', object });
      events.push({
        type: 'BOOKMARK',
        object: {
          kind: path.endsWith('services') ? 'Service' : 'EndpointSlice',
          metadata: { resourceVersion: String(this.version), annotations: { 'k8s.io/initial-events-end': 'true' } },
        },
      });
    }
    let wake = () => {};
    const watcher = {
      path,
      push: (event: unknown) => {
        events.push(event);
        wake();
      },
    };
    this.watchers.add(watcher);
    signal?.addEventListener('abort', () => wake());
    const chunks = (async function* () {
      while (!signal?.aborted) {
        while (events.length > 0) yield Buffer.from(`${JSON.stringify(events.shift())}\n`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal?.aborted) resolve();
        });
      }
    })();
    return { status: 200, headers: {}, chunks };
  }
  async close() {}
}

class FakeProxy implements ServiceProxy {
  readonly state = new Map<string, ServicePortSpec>();
  starts = 0;
  failNext = 0;
  async start(full: readonly ServicePortSpec[]) {
    this.starts++;
    this.state.clear();
    for (const s of full) this.state.set(s.key, s);
  }
  async apply(delta: ServiceDelta) {
    if (this.failNext-- > 0) throw new Error('nft said no');
    for (const s of delta.upsert) this.state.set(s.key, s);
    for (const key of delta.remove) this.state.delete(key);
  }
  async cleanup() {}
}

const service = (name: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name },
  spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80 }] },
});
const slice = (owner: string, ip: string): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'default', name: `${owner}-1`, labels: { 'kubernetes.io/service-name': owner } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints: [{ addresses: [ip] }],
});

describe('KubeProxy', () => {
  const api = new FakeApi();
  const proxy = new FakeProxy();
  const kubeProxy = new KubeProxy({
    client: new KubeClient({ transport: api, clock: systemClock }),
    proxy,
    nodeName: 'n1',
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serve: { address: '127.0.0.1', port: 0 },
    gatherMs: 1,
  });
  const never = new AbortController().signal;
  afterEach(() => kubeProxy.stop(never));

  it('starts with everything, follows changes, and recovers from a refused write', async () => {
    api.put(service('web'));
    api.put(slice('web', '10.0.0.1'));
    await kubeProxy.start(never);
    expect([...proxy.state.values()]).toMatchObject([{ key: 'default/web:', endpoints: [{ ip: '10.0.0.1', port: 8080 }] }]);

    api.put(slice('web', '10.0.0.2'));
    await expect.poll(() => proxy.state.get('default/web:')?.endpoints[0]?.ip).toBe('10.0.0.2');

    proxy.failNext = 1;
    api.put(service('other'));
    await expect.poll(() => proxy.starts).toBe(2);
    expect([...proxy.state.keys()].sort()).toEqual(['default/other:', 'default/web:']);

    api.remove(service('web'));
    await expect.poll(() => [...proxy.state.keys()]).toEqual(['default/other:']);
    expect((await fetch(`http://127.0.0.1:${kubeProxy.port}/healthz`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${kubeProxy.port}/metrics`)).text()).toContain('kubeproxy_sync_failures_total 1');
  });
});
