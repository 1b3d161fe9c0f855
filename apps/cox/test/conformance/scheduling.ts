import type { Json } from './api-access.js';
import { eventually } from '../cluster-fixture.js';
import { type Check, type CheckContext, condition, same, template, truly } from './check.js';

/** A resource of this check's own on the node, so that it is alone with it. */
async function extendedResource(c: CheckContext, amount: number): Promise<string> {
  const node = await c.node;
  const resource = `example.com/${c.ns}`;
  const path = `/status/capacity/${resource.replace('/', '~1')}`;
  const at = `/api/v1/nodes/${node}/status`;
  await c.api.patch(at, 'json', [{ op: 'add', path, value: String(amount) }]);
  c.onEnd(() => c.api.patch(at, 'json', [{ op: 'remove', path }]));
  await c.until(`/api/v1/nodes/${node}`, 'the resource to be allocatable', (n) => n.status.allocatable[resource] !== undefined);
  return resource;
}

const asks = (resource: string, amount: number | string): Json => ({ resources: { requests: { [resource]: amount }, limits: { [resource]: amount } } });

async function priorityClass(c: CheckContext, value: number): Promise<string> {
  const name = `${c.ns}-${value}`;
  await c.api.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value, globalDefault: false });
  c.onEnd(() => c.api.raw('DELETE', `/apis/scheduling.k8s.io/v1/priorityclasses/${name}`));
  return name;
}

const unschedulable = (c: CheckContext, pod: string, message: RegExp) =>
  c.until(`${c.core}/pods/${pod}`, 'being unschedulable', (p) => {
    const scheduled = condition(p, 'PodScheduled');
    return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' && message.test(scheduled.message);
  });

export const checks: Check[] = [
  {
    name: 'SchedulerPredicates validates resource limits of pods that are allowed to run',
    async run(c) {
      const { status } = await c.api.get(`/api/v1/nodes/${await c.node}`);
      await c.pod('cpu', { container: asks('cpu', String(Number(status.allocatable.cpu) + 1)) });
      await unschedulable(c, 'cpu', /0\/1 nodes are available: 1 Insufficient cpu/);
      await eventually('the event', async () => {
        const events = (await c.api.get(`${c.core}/events?fieldSelector=involvedObject.name%3Dcpu`)).items;
        truly(
          events.some((e: Json) => e.reason === 'FailedScheduling' && /Insufficient cpu/.test(e.message ?? e.note)),
          'no event',
        );
      });
      const resource = await extendedResource(c, 2);
      await c.pod('filler', { container: asks(resource, 2) });
      await c.running('filler');
      await c.pod('additional', { container: asks(resource, 1) });
      await unschedulable(c, 'additional', /Insufficient example\.com/);
      await c.api.delete(`${c.core}/pods/filler`);
      await c.running('additional');
    },
  },
  {
    name: 'SchedulerPredicates validates that NodeSelector is respected if matching and if not matching',
    async run(c) {
      const node = await c.node;
      const key = `kubernetes.io/e2e-${c.ns}`;
      await c.pod('not-matching', { nodeSelector: { [key]: 'nonempty' } });
      await unschedulable(c, 'not-matching', /didn't match Pod's node affinity\/selector/);
      c.onEnd(() => c.api.patch(`/api/v1/nodes/${node}`, 'merge', { metadata: { labels: { [key]: null } } }));
      await c.api.patch(`/api/v1/nodes/${node}`, 'merge', { metadata: { labels: { [key]: '42' } } });
      await c.pod('matching', { nodeSelector: { [key]: '42' } });
      same((await c.running('matching')).spec.nodeName, node, 'node');
      truly(!(await c.api.get(`${c.core}/pods/not-matching`)).spec.nodeName, 'the other one runs');
    },
  },
  {
    name: 'SchedulerPreemption validates basic preemption works; PreemptionPolicy Never waits',
    async run(c) {
      const resource = await extendedResource(c, 5);
      const [low, medium, high] = await Promise.all([priorityClass(c, 1), priorityClass(c, 100), priorityClass(c, 1000)]);
      await c.pod('low', { priorityClassName: low, container: asks(resource, 3) });
      await c.pod('medium', { priorityClassName: medium, container: asks(resource, 2) });
      await c.running('low');
      await c.running('medium');
      await c.pod('polite', { priorityClassName: high, preemptionPolicy: 'Never', container: asks(resource, 3) }).catch(() => {});
      await c.pod('high', { priorityClassName: high, container: asks(resource, 3) });
      await c.running('high');
      await c.gone(`${c.core}/pods/low`);
      truly((await c.api.get(`${c.core}/pods/medium`)).status.phase === 'Running', 'medium had to go');
      same((await c.api.get(`${c.core}/pods/high`)).spec.priority, 1000, 'priority');
    },
  },
  {
    name: 'SchedulerPreemption validates lower priority pod preemption by critical pod',
    async run(c) {
      const resource = await extendedResource(c, 5);
      await c.pod('low', { priorityClassName: await priorityClass(c, 1), container: asks(resource, 3) });
      await c.running('low');
      const critical = `critical-${c.ns}`;
      c.onEnd(() => c.api.raw('DELETE', `/api/v1/namespaces/kube-system/pods/${critical}`));
      const { template: pod } = { template: template({}, { priorityClassName: 'system-cluster-critical', container: asks(resource, 3) }) };
      await c.api.post('/api/v1/namespaces/kube-system/pods', { metadata: { name: critical }, spec: pod.spec });
      await c.until(`/api/v1/namespaces/kube-system/pods/${critical}`, 'running', (p) => p.status.phase === 'Running');
      await c.gone(`${c.core}/pods/low`);
      await c.api.delete(`/api/v1/namespaces/kube-system/pods/${critical}`);
    },
  },
  {
    name: 'SchedulerPreemption validates pod disruption condition is added to the preempted pod',
    async run(c) {
      const resource = await extendedResource(c, 1);
      await c.pod('victim', { priorityClassName: await priorityClass(c, 1), container: asks(resource, 1) }, { finalizers: ['example.com/test-finalizer'] });
      await c.running('victim');
      await c.pod('preemptor', { priorityClassName: await priorityClass(c, 1000), container: asks(resource, 1) });
      const victim = await c.until(`${c.core}/pods/victim`, 'deletion', (p) => p.metadata.deletionTimestamp !== undefined);
      same([condition(victim, 'DisruptionTarget')?.status, condition(victim, 'DisruptionTarget')?.reason], ['True', 'PreemptionByScheduler'], 'condition');
      await c.api.patch(`${c.core}/pods/victim`, 'merge', { metadata: { finalizers: null } });
      await c.gone(`${c.core}/pods/victim`);
      await c.running('preemptor');
    },
  },
  {
    name: 'PreemptionExecutionPath runs ReplicaSets to verify preemption running path',
    async run(c) {
      const resource = await extendedResource(c, 1000);
      const made = new Map<string, Json[]>();
      using watch = c.api.watch(`${c.core}/pods`);
      const set = async (n: number, replicas: number, amount: number) => {
        const labels = { name: `pod${n}` };
        await c.api.post(`${c.apps}/replicasets`, {
          metadata: { name: `rs-pod${n}` },
          spec: {
            replicas,
            selector: { matchLabels: labels },
            template: template(labels, { priorityClassName: await priorityClass(c, n), container: asks(resource, amount) }),
          },
        });
      };
      const ready = (n: number, count: number) => c.until(`${c.apps}/replicasets/rs-pod${n}`, `rs-pod${n} ready`, (rs) => rs.status.readyReplicas === count);
      for (const [n, replicas, amount] of [
        [1, 5, 40],
        [2, 4, 50],
        [3, 4, 95],
      ] as const) {
        await set(n, replicas, amount);
        await ready(n, replicas);
      }
      await set(4, 1, 400);
      await ready(4, 1);
      for (const e of watch.events)
        if (e.type === 'ADDED') made.set(e.object.metadata.labels.name, [...(made.get(e.object.metadata.labels.name) ?? []), e.object]);
      // 400 are had by removing what has the least priority; the more important are left alone.
      same([made.get('pod3')?.length, made.get('pod4')?.length], [4, 1], 'pods made of the higher priorities');
      truly((made.get('pod1')?.length ?? 0) > 5, 'no pod of the lowest priority was preempted');
    },
  },
  {
    name: 'SchedulerPredicates taints: NoSchedule keeps pods away, tolerations let them in, NoExecute evicts',
    serial: true,
    async run(c) {
      const at = `/api/v1/nodes/${await c.node}`;
      const key = `kubernetes.io/e2e-${c.ns}`;
      const taint = (effect: string | undefined) =>
        c.api.change(at, (n) => {
          n.spec.taints = [...(n.spec.taints ?? []).filter((t: Json) => t.key !== key), ...(effect ? [{ key, value: 'v', effect }] : [])];
        });
      c.onEnd(() => taint(undefined));
      await c.pod('before');
      await c.running('before');
      await taint('NoSchedule');
      await c.pod('plain');
      await unschedulable(c, 'plain', /untolerated taint/);
      await c.pod('tolerant', {
        tolerations: [
          { key, operator: 'Equal', value: 'v', effect: 'NoSchedule' },
          { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
        ],
      });
      await c.running('tolerant');
      await taint('NoExecute');
      await c.gone(`${c.core}/pods/before`);
      same((await c.api.get(`${c.core}/pods/tolerant`)).metadata.deletionTimestamp, undefined, 'the tolerant pod');
      await taint(undefined);
      await c.running('plain');
    },
  },
  {
    name: 'LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied',
    async run(c) {
      const at = `${c.core}/limitranges`;
      const amounts = (cpu: string, memory: string, storage: string) => ({ cpu, memory, 'ephemeral-storage': storage });
      using watch = c.api.watch(at);
      await c.api.post(at, {
        metadata: { name: 'l' },
        spec: {
          limits: [
            {
              type: 'Container',
              min: amounts('50m', '100Mi', '100Gi'),
              max: amounts('500m', '500Mi', '500Gi'),
              defaultRequest: amounts('100m', '200Mi', '200Gi'),
              default: amounts('300m', '400Mi', '400Gi'),
            },
          ],
        },
      });
      await watch.until('creation', (e) => e.type === 'ADDED');
      const dry = (name: string, resources: Json) =>
        c.api.raw('POST', `${c.core}/pods?dryRun=All`, { metadata: { name }, spec: { containers: [{ name: 'a', image: 'x', resources }] } });
      const full = await dry('full', {});
      same(full.body.spec.containers[0].resources, { limits: amounts('300m', '400Mi', '400Gi'), requests: amounts('100m', '200Mi', '200Gi') }, 'defaults');
      const partial = await dry('partial', {
        requests: { cpu: '150m', memory: '150Mi', 'ephemeral-storage': '150Gi' },
        limits: { cpu: '300m', 'ephemeral-storage': '300Gi' },
      });
      same(partial.body.spec.containers[0].resources.limits.memory, '400Mi', 'merged default');
      for (const [name, cpu] of [
        ['less', '10m'],
        ['more', '600m'],
      ] as const)
        same((await dry(name, { requests: { cpu }, limits: { cpu } })).code, 403, name);
      await c.api.change(`${at}/l`, (l) => {
        l.spec.limits[0].min.cpu = '9m';
      });
      await watch.until('the update', (e) => e.type === 'MODIFIED');
      await eventually('the new minimum', async () => same((await dry('less', { requests: { cpu: '10m' }, limits: { cpu: '10m' } })).code, 201, 'less'));
      await c.api.delete(`${at}/l`);
      await watch.until('deletion', (e) => e.type === 'DELETED');
      same((await dry('more', { requests: { cpu: '600m' } })).code, 201, 'more, without limits');
    },
  },
];
