import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, type CheckContext, condition, podSpec, same, truly } from './check.js';

interface Kind {
  readonly group: string;
  readonly resource: string;
  readonly namespaced: boolean;
  /** A valid object; `n` makes it different from the others. */
  readonly make: (n: number, name: string) => Json;
  readonly status?: (time: string) => Json;
}

/** Discovery of the group, version and resource; create, get, list (also everywhere), watch, patch, update, delete, deletecollection. */
async function operationsWork(c: CheckContext, { group, resource, namespaced, make, status }: Kind): Promise<void> {
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  if (group !== '') {
    const groups = (await c.api.get('/apis')).groups as Json[];
    truly(
      groups.find((g) => g.name === group)?.versions.some((v: Json) => v.version === 'v1'),
      `${group}/v1 in /apis`,
    );
    truly(
      (await c.api.get(`/apis/${group}`)).versions.some((v: Json) => v.groupVersion === `${group}/v1`),
      `v1 in /apis/${group}`,
    );
  }
  const resources = (await c.api.get(root)).resources.map((r: Json) => r.name);
  truly(resources.includes(resource), `${resource} in ${root}`);
  if (status) truly(resources.includes(`${resource}/status`), `${resource}/status in ${root}`);
  const everywhere = `${root}/${resource}`;
  const at = namespaced ? `${root}/namespaces/${c.ns}/${resource}` : everywhere;
  const label = `special-label=${c.ns}`;
  const query = `labelSelector=${encodeURIComponent(label)}`;
  const object = (n: number) => {
    const made = make(n, `${c.ns}-${n}`);
    return { ...made, metadata: { ...made.metadata, name: `${c.ns}-${n}`, labels: { 'special-label': c.ns } } };
  };
  const path = `${at}/${c.ns}-0`;
  using watch = c.api.watch(at, query);
  c.onEnd(() => c.api.raw('DELETE', `${at}?${query}`));
  for (const n of [0, 1, 2]) await c.api.post(at, object(n));
  await watch.until('creation', (e) => e.type === 'ADDED');
  same((await c.api.get(path)).metadata.name, `${c.ns}-0`, 'get');
  for (const where of namespaced ? [at, everywhere] : [at]) same((await c.api.get(`${where}?${query}`)).items.length, 3, `list ${where}`);
  for (const kind of ['merge', 'strategic'] as const) {
    const patched = await c.api.patch(path, kind, { metadata: { annotations: { [kind]: 'true' } } });
    same(patched.metadata.annotations[kind], 'true', `${kind} patch`);
  }
  await c.api.patch(path, 'json', [{ op: 'add', path: '/metadata/annotations/json', value: 'true' }]);
  await watch.until('the patch', (e) => e.type === 'MODIFIED' && e.object.metadata.annotations?.json === 'true');
  await c.api.change(path, (o) => {
    o.metadata.annotations.updated = 'true';
  });
  await watch.until('the update', (e) => e.type === 'MODIFIED' && e.object.metadata.annotations?.updated === 'true');
  if (status) {
    const patched = await c.api.patch(`${path}/status`, 'merge', {
      metadata: { annotations: { patchedstatus: 'true' } },
      status: status('2026-01-01T00:00:00Z'),
    });
    same(patched.metadata.annotations.patchedstatus, 'true', 'annotation by way of the status');
    holds(patched.status, status('2026-01-01T00:00:00Z'), 'status patched');
    // What the answer says: a controller may put its own in at once.
    const updated = await c.api.change(
      path,
      (o) => {
        o.status = { ...o.status, ...status('2026-02-02T00:00:00Z') };
      },
      '/status',
    );
    holds(updated.status, status('2026-02-02T00:00:00Z'), 'status updated');
    same((await c.api.get(`${path}/status`)).metadata.name, updated.metadata.name, 'get of the status');
  }
  await c.api.delete(path);
  await watch.until('deletion', (e) => e.type === 'DELETED' && e.object.metadata.name === `${c.ns}-0`);
  await c.gone(path);
  await c.api.delete(`${at}?${query}`);
  await eventually('the collection to be empty', async () => same((await c.api.get(`${at}?${query}`)).items.length, 0, 'left'));
}

function holds(actual: Json, part: Json, what: string): void {
  for (const [key, value] of Object.entries(part)) same(actual?.[key], value, `${what}: ${key}`);
}

const backend = (n: number) => ({ service: { name: `default-backend-${n}`, port: { number: 80 } } });
const label = { app: 'x' };

const kinds: readonly (Kind & { readonly name: string })[] = [
  {
    name: 'Ingress API should support creating Ingress API operations',
    group: 'networking.k8s.io',
    resource: 'ingresses',
    namespaced: true,
    make: (n) => ({
      spec: { defaultBackend: backend(n), rules: [{ host: 'foo.bar.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: backend(n) }] } }] },
    }),
    status: (time) => ({ loadBalancer: { ingress: [{ ip: time.includes('-01-01') ? '169.1.1.1' : '169.1.1.2' }] } }),
  },
  {
    name: 'IngressClass API should support creating IngressClass API operations',
    group: 'networking.k8s.io',
    resource: 'ingressclasses',
    namespaced: false,
    make: () => ({ spec: { controller: 'example.com/controller' } }),
  },
  {
    name: 'NetworkPolicy API should support creating NetworkPolicy API operations',
    group: 'networking.k8s.io',
    resource: 'networkpolicies',
    namespaced: true,
    make: () => ({
      spec: { podSelector: { matchLabels: label }, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: label } }] }] },
    }),
  },
  {
    name: 'ServiceCIDR and IPAddress API should support ServiceCIDR API operations',
    group: 'networking.k8s.io',
    resource: 'servicecidrs',
    namespaced: false,
    make: (n) => ({ spec: { cidrs: [`10.21${n}.${Math.floor(Math.random() * 250)}.0/24`] } }),
    status: (time) => ({ conditions: [{ type: 'StatusPatched', status: 'True', reason: 'E2E', message: '', lastTransitionTime: time }] }),
  },
  {
    name: 'ServiceCIDR and IPAddress API should support IPAddress API operations',
    group: 'networking.k8s.io',
    resource: 'ipaddresses',
    namespaced: false,
    make: (n, name) => ({ metadata: { name: `192.168.7.${n}` }, spec: { parentRef: { resource: 'services', name, namespace: 'default' } } }),
  },
  {
    name: 'EndpointSlice should support creating EndpointSlice API operations',
    group: 'discovery.k8s.io',
    resource: 'endpointslices',
    namespaced: true,
    make: (n) => ({
      addressType: 'IPv4',
      endpoints: [{ addresses: [`10.0.0.${n + 1}`], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    }),
  },
  {
    name: 'DisruptionController should create, list, update, patch and delete a collection of PodDisruptionBudgets',
    group: 'policy',
    resource: 'poddisruptionbudgets',
    namespaced: true,
    make: () => ({ spec: { selector: { matchLabels: label }, minAvailable: 1 } }),
    status: (time) => ({ disruptedPods: { pod: time } }),
  },
  {
    name: 'LimitRange should list, patch and delete a LimitRange by collection',
    group: '',
    resource: 'limitranges',
    namespaced: true,
    make: () => ({ spec: { limits: [{ type: 'Container', max: { memory: '1Gi' } }] } }),
  },
  {
    name: 'PodTemplates should run the lifecycle of PodTemplates',
    group: '',
    resource: 'podtemplates',
    namespaced: true,
    make: () => ({ template: { metadata: { labels: label }, spec: podSpec() } }),
  },
  {
    name: 'Services should delete a collection of services',
    group: '',
    resource: 'services',
    namespaced: true,
    make: () => ({ spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/nobody', ports: [{ port: 80 }], selector: label } }),
    status: (time) => ({ loadBalancer: { ingress: [{ ip: time.includes('-01-01') ? '203.0.113.1' : '203.0.113.2', ipMode: 'VIP' }] } }),
  },
];

export const checks: Check[] = [
  ...kinds.filter((kind) => kind.resource !== 'ipaddresses').map((kind): Check => ({ name: kind.name, run: (c) => operationsWork(c, kind) })),
  {
    name: 'ServiceCIDR and IPAddress API should support IPAddress API operations',
    async run(c) {
      const at = '/apis/networking.k8s.io/v1/ipaddresses';
      const query = `?labelSelector=run%3D${c.ns}`;
      const block = `192.168.${Math.floor(Math.random() * 250)}`;
      c.onEnd(() => c.api.raw('DELETE', at + query));
      for (const n of [1, 2, 3])
        await c.api.post(at, {
          metadata: { name: `${block}.${n}`, labels: { run: c.ns } },
          spec: { parentRef: { resource: 'endpoints', group: '', name: `foo-${n}`, namespace: c.ns } },
        });
      same((await c.api.get(at + query)).items.length, 3, 'list');
      const bad = await c.api.raw('PATCH', `${at}/${block}.1`, { spec: { parentRef: { name: 'other' } } }, 'application/merge-patch+json');
      same(bad.code, 422, 'changing the immutable spec');
      same(
        (await c.api.raw('POST', at, { metadata: { name: '10.010.0.1' }, spec: { parentRef: { resource: 'x', name: 'y' } } })).code,
        422,
        'a name that is no address',
      );
      const patched = await c.api.patch(`${at}/${block}.1`, 'merge', { metadata: { annotations: { patched: 'true' } } });
      same(patched.metadata.annotations.patched, 'true', 'patched');
      await c.api.delete(`${at}/${block}.1`);
      await c.api.delete(at + query);
      same((await c.api.get(at + query)).items.length, 0, 'left');
    },
  },
  ...(['', 'events.k8s.io'] as const).map(
    (group): Check => ({
      name:
        group === ''
          ? 'Events should manage the lifecycle of an event; delete a collection of events'
          : 'Events API should ensure that an event can be fetched, patched, deleted, and listed; delete a collection',
      async run(c) {
        const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
        const at = `${root}/namespaces/${c.ns}/events`;
        const modern = group !== '';
        const regarding = { kind: 'Pod', namespace: c.ns, name: 'p', apiVersion: 'v1' };
        const event = (n: number) => ({
          metadata: { name: `event-${n}`, labels: { 'testevent-constant': c.ns } },
          ...(modern
            ? {
                regarding,
                note: 'This is a test',
                eventTime: '2026-01-01T00:00:00.123456Z',
                action: 'Do',
                reportingController: 'test.k8s.io/c',
                reportingInstance: 'i',
              }
            : { involvedObject: { namespace: c.ns }, message: 'This is a test', source: { component: 'x' }, firstTimestamp: null, lastTimestamp: null }),
          reason: 'Test',
          type: 'Normal',
        });
        await c.api.post(at, event(0));
        const query = `?labelSelector=testevent-constant%3D${c.ns}`;
        same((await c.api.get(`${root}/events${query}`)).items.length, 1, 'found everywhere');
        const text = modern ? 'note' : 'message';
        // What an event of the new API says does not change: only how often it was seen.
        const change = modern ? { series: { count: 2, lastObservedTime: '2014-02-01T00:00:00.000000Z' } } : { message: 'patched' };
        holds(await c.api.patch(`${at}/event-0`, 'strategic', change), change, 'patch');
        const series = { count: 100, lastObservedTime: '2014-02-02T00:00:00.000000Z' };
        const updated = await c.api.change(`${at}/event-0`, (e) => {
          e.series = series;
        });
        same(updated.series, series, 'series');
        same((await c.api.get(`${at}/event-0`))[text], modern ? 'This is a test' : 'patched', 'get');
        if (modern) same((await c.api.get(`/api/v1/namespaces/${c.ns}/events/event-0`)).message, 'This is a test', 'as a core event');
        await c.api.delete(`${at}/event-0`);
        same((await c.api.get(`${root}/events${query}`)).items.length, 0, 'after the delete');
        for (const n of [1, 2, 3]) await c.api.post(at, event(n));
        same((await c.api.get(at + query)).items.length, 3, 'three');
        await c.api.delete(at + query);
        same((await c.api.get(at + query)).items.length, 0, 'left');
      },
    }),
  ),
  {
    name: 'Endpoints should test the lifecycle of an Endpoint',
    async run(c) {
      const at = `${c.core}/endpoints`;
      using watch = c.api.watch(at);
      await c.api.post(at, {
        metadata: { name: 'e', labels: { 'test-endpoint-static': 'true' } },
        subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }],
      });
      truly(
        (await c.api.get('/api/v1/endpoints?labelSelector=test-endpoint-static%3Dtrue')).items.some((e: Json) => e.metadata.namespace === c.ns),
        'list everywhere',
      );
      await c.api.change(`${at}/e`, (e) => {
        e.metadata.labels['test-service'] = 'updated';
      });
      await watch.until('the update', (e) => e.object.metadata.labels?.['test-service'] === 'updated');
      const patched = await c.api.patch(`${at}/e`, 'strategic', {
        metadata: { labels: { 'test-service': 'patched' } },
        subsets: [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ name: 'http-test', port: 8080 }] }],
      });
      same([patched.subsets[0].addresses[0].ip, patched.subsets[0].ports[0]], ['10.0.0.25', { name: 'http-test', port: 8080, protocol: 'TCP' }], 'patched');
      await c.api.delete(`${at}?labelSelector=test-endpoint-static%3Dtrue`);
      await watch.until('deletion', (e) => e.type === 'DELETED');
    },
  },
  {
    name: 'PriorityClass endpoints can be operated with different HTTP methods',
    async run(c) {
      const at = '/apis/scheduling.k8s.io/v1/priorityclasses';
      const names = [1, 2].map((n) => `${c.ns}-${n}`);
      for (const [i, name] of names.entries()) {
        c.onEnd(() => c.api.raw('DELETE', `${at}/${name}`));
        await c.api.post(at, { metadata: { name }, value: (i + 1) * 1000 });
      }
      truly((await c.api.get(at)).items.length >= 4, 'list');
      const made = await c.api.patch(`${at}/${names[0]}`, 'json', [{ op: 'add', path: '/description', value: 'changed' }]);
      same([made.description, made.preemptionPolicy], ['changed', 'PreemptLowerPriority'], 'description patched');
      const bad = await c.api.raw('PATCH', `${at}/${names[0]}`, [{ op: 'replace', path: '/value', value: 99 }], 'application/json-patch+json');
      same([bad.code, bad.body.reason], [422, 'Invalid'], 'patching the value');
      truly(/may not be changed in an update/.test(bad.body.message), bad.body.message);
      const put = await c.api.raw('PUT', `${at}/${names[1]}`, { ...(await c.api.get(`${at}/${names[1]}`)), value: 7 });
      same(put.code, 422, 'updating the value');
      const preemption = await c.api.raw('PUT', `${at}/${names[1]}`, { ...(await c.api.get(`${at}/${names[1]}`)), preemptionPolicy: 'Never' });
      same(preemption.code, 422, 'updating the preemption policy');
    },
  },
  {
    name: 'DisruptionController should observe PodDisruptionBudget status updated; block an eviction until the PDB is updated to allow it',
    async run(c) {
      const at = '/apis/policy/v1/namespaces';
      const pdb = `${at}/${c.ns}/poddisruptionbudgets`;
      for (const n of [0, 1]) await c.pod(`p-${n}`, { terminationGracePeriodSeconds: 1 }, { labels: { foo: 'bar' } });
      for (const n of [0, 1]) await c.running(`p-${n}`);
      await c.api.post(pdb, { metadata: { name: 'b' }, spec: { minAvailable: 2, selector: { matchLabels: { foo: 'bar' } } } });
      const status = await c.until(`${pdb}/b`, 'status', (b) => b.status?.observedGeneration >= 1 && b.status.currentHealthy === 2);
      same([status.status.disruptionsAllowed, status.status.desiredHealthy, status.status.expectedPods], [0, 2, 2], 'status');
      same(condition(status, 'DisruptionAllowed')?.reason, 'InsufficientPods', 'condition');
      const evict = () =>
        c.api.raw('POST', `${c.core}/pods/p-0/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p-0', namespace: c.ns } });
      const blocked = await evict();
      same(
        [blocked.code, blocked.body.reason, blocked.body.details?.causes?.[0]?.reason],
        [429, 'TooManyRequests', 'DisruptionBudget'],
        'eviction under the first budget',
      );
      await c.api.change(`${pdb}/b`, (b) => {
        b.spec.minAvailable = 1;
      });
      await c.until(`${pdb}/b`, 'one to be allowed', (b) => b.status.disruptionsAllowed === 1);
      same((await evict()).code, 201, 'eviction now');
      await c.gone(`${c.core}/pods/p-0`);
      await c.api.patch(`${pdb}/b`, 'merge', { spec: { minAvailable: '50%' } });
      // A share is one of what controllers want; these pods have none.
      await c.until(`${pdb}/b`, 'a share of no pods', (b) => b.status.observedGeneration === b.metadata.generation && b.status.expectedPods === 0);
    },
  },
];
