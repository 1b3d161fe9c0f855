import { type AdmissionPlugin, AdmissionPlugin as AdmissionToken, definePlugin, noConfig, PluginPoint, use } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './index.js';

const pod = (name: string, over: Record<string, unknown> = {}, annotations: Record<string, string> = {}) =>
  ({ metadata: { name, annotations }, spec: { containers: [{ name: 'c', image: 'web:1' }], ...over } }) as never;

const phaseOf = async (cluster: TestCluster, name: string) => (await cluster.client.api.pods('default').get(name)).status?.phase;
const running = (cluster: TestCluster, name: string) =>
  cluster.eventually(async () => {
    const found = await cluster.client.api.pods('default').get(name);
    return found.status?.phase === 'Running' && found;
  });
const ready = async (cluster: TestCluster, name: string) => {
  const node = await cluster.client.api.nodes().get(name);
  return node.status?.conditions?.find((c) => c.type === 'Ready')?.status;
};

describe.each(['real', 'hollow'] as const)('a cluster of %s kubelets', (kubelets) => {
  it('runs a Deployment, and moves its pods off a node that dies', async () => {
    await using cluster = await startTestCluster({ nodes: 3, kubelets });
    const labels = { app: 'web' };
    await cluster.client.api.deployments('default').create({
      metadata: { name: 'web' },
      spec: { replicas: 6, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:1' }] } } },
    } as never);
    const available = () =>
      cluster.eventually(async () => (await cluster.client.api.deployments('default').get('web')).status?.availableReplicas === 6, { within: '10m' });
    await available();
    const pods = async () => (await cluster.client.api.pods('default').list()).items;
    expect(new Set((await pods()).map((p) => p.spec?.nodeName)).size).toBe(3);
    expect(new Set((await pods()).map((p) => p.status?.podIP)).size).toBe(6);

    await cluster.killNode('node-2');
    await cluster.clock.advance('30s');
    expect(await ready(cluster, 'node-2')).toBe('True');
    await cluster.clock.advance('30s');
    expect(await ready(cluster, 'node-2')).toBe('Unknown');
    // Pods tolerate it for five minutes; then others are made elsewhere.
    await cluster.clock.advance('6m');
    await available();
    expect((await pods()).filter((p) => !p.metadata.deletionTimestamp && p.spec?.nodeName === 'node-2')).toEqual([]);

    await cluster.reviveNode('node-2');
    await cluster.eventually(async () => (await ready(cluster, 'node-2')) === 'True');
    // The pods that were to be deleted are gone once somebody confirms it.
    await cluster.eventually(async () => (await pods()).length === 6);
  });

  it('plays what a script says: a job that fails twice, a container that crashes again and again', async () => {
    await using cluster = await startTestCluster({ kubelets, containers: [{ image: 'flaky:*', exit: { after: '5s', code: 1, times: 2 } }] });
    await cluster.client.api.pods('default').create(pod('flaky', { containers: [{ name: 'c', image: 'flaky:1' }] }));
    await cluster.client.api.pods('default').create(pod('done', { restartPolicy: 'Never' }, { 'sim.coxswain.dev/containers': '{exit: {after: 2m, code: 0}}' }));
    await cluster.clock.advance('119s');
    expect(await phaseOf(cluster, 'done')).toBe('Running');
    await cluster.clock.advance('2s');
    expect(await phaseOf(cluster, 'done')).toBe('Succeeded');
    const flaky = await cluster.client.api.pods('default').get('flaky');
    // 5 s, then ten seconds of back-off, 5 s more, then twenty.
    expect(flaky.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 2, ready: true, lastState: { terminated: { exitCode: 1 } } });
  });

  it('deletes a pod after its grace period when it does not end before', async () => {
    await using cluster = await startTestCluster({ kubelets });
    const pods = cluster.client.api.pods('default');
    await pods.create(pod('slow', {}, { 'sim.coxswain.dev/containers': '{stop: {after: 10m}}' }));
    await running(cluster, 'slow');
    await pods.delete('slow', { gracePeriodSeconds: 20 });
    await cluster.clock.advance('19s');
    expect((await pods.get('slow')).metadata.deletionTimestamp).toBeDefined();
    await cluster.clock.advance('2s');
    await expect(pods.get('slow')).rejects.toMatchObject({ code: 404 });
  });
});

describe('a test cluster', () => {
  it('answers probes of simulated pods as their script says', async () => {
    await using cluster = await startTestCluster();
    const probe = { httpGet: { port: 80, path: '/healthz' }, periodSeconds: 1 };
    await cluster.client.api
      .pods('default')
      .create(pod('slow', { containers: [{ name: 'c', image: 'web:1', readinessProbe: probe }] }, { 'sim.coxswain.dev/containers': '{serve: {after: 30s}}' }));
    await running(cluster, 'slow');
    const isReady = async () => (await cluster.client.api.pods('default').get('slow')).status?.containerStatuses?.[0]?.ready;
    await cluster.clock.advance('25s');
    expect(await isReady()).toBe(false);
    await cluster.clock.advance('10s');
    expect(await isReady()).toBe(true);
  });

  it('has the labels, taints and capacity its nodes were given, and places pods by them', async () => {
    await using cluster = await startTestCluster({
      nodes: [
        { name: 'small', capacity: { cpu: '1' } },
        { name: 'gpu', labels: { gpu: 'yes' }, taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
      ],
    });
    const pods = cluster.client.api.pods('default');
    await pods.create(pod('picky', { nodeSelector: { gpu: 'yes' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] }));
    await pods.create(pod('large', { containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '2' } } }] }));
    expect((await running(cluster, 'picky')).spec?.nodeName).toBe('gpu');
    await cluster.clock.advance('1m');
    const large = await pods.get('large');
    expect(large.status?.conditions?.[0]?.message).toMatch(/0\/2 nodes are available: 1 Insufficient cpu, 1 node\(s\) had untolerated taint/);
  });

  it('takes plugins', async () => {
    const labeller: AdmissionPlugin = {
      name: 'labeller',
      order: 10_000,
      handles: ({ operation, resource }) => operation === 'CREATE' && resource.resource === 'configmaps',
      admit(request) {
        const { object } = request;
        if (object) object.metadata.labels = { ...object.metadata.labels, seen: 'yes' };
      },
    };
    const plugin = definePlugin({
      point: PluginPoint.admission,
      name: 'labeller',
      description: 'labels config maps',
      sdk: '^0.1.0',
      config: noConfig,
      module: () => new ContainerModule(({ bind }) => void bind(AdmissionToken).toConstantValue(labeller)),
    });
    await using cluster = await startTestCluster({ nodes: 0, plugins: [use(plugin)] });
    const made = await cluster.client.api.configMaps('default').create({ metadata: { name: 'x' } } as never);
    expect(made.metadata.labels).toEqual({ seen: 'yes' });
  });

  it('holds users to RBAC', async () => {
    await using cluster = await startTestCluster({ nodes: 0 });
    await expect(cluster.clientAs('jane').api.secrets('default').list()).rejects.toMatchObject({ code: 403 });
  });

  it('says what did not happen', async () => {
    await using cluster = await startTestCluster({ nodes: 0 });
    await cluster.client.api.pods('default').create(pod('lost'));
    const before = cluster.clock.monotonic();
    await expect(running(cluster, 'lost')).rejects.toThrow(/did not happen within 300 s of the cluster's time/);
    expect(cluster.clock.monotonic() - before).toBe(300_000);
    await expect(cluster.eventually(() => cluster.client.api.pods('default').get('none'), { within: '1s' })).rejects.toThrow(/pods "none" not found/);
  });

  it.each([
    [{ nodes: -1 }, 'nodes must be an integer from 0 to 5000 or a list, got -1'],
    [{ nodes: [{ name: 'A' }] }, 'nodes[0].name "A" is not a DNS name in lower case'],
    [{ nodes: [{ name: 'a' }, { name: 'a' }] }, 'nodes[1].name "a" is there twice'],
    [{ containers: [{ exit: { after: 5 } }] }, 'containers[0].exit.after must be a duration'],
  ])('refuses %j', async (options, message) => {
    await expect(startTestCluster(options)).rejects.toThrow(message);
  });

  it('makes the same names with the same seed', async () => {
    const names = async () => {
      await using cluster = await startTestCluster({ nodes: 1, seed: 7, startTime: Date.UTC(2026, 5, 1) });
      await cluster.client.api.pods('default').create({ ...(pod('') as object), metadata: { generateName: 'p-' } } as never);
      return (await cluster.client.api.pods('default').list()).items.map((p) => p.metadata.name);
    };
    expect(await names()).toEqual(await names());
  });
});
