import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Deployment, Job, KubeObject, Pod, ServiceCIDR, StatefulSet, VolumeAttributesClass } from '@coxswain/api';
import { startTestServer, type TestServer } from '@coxswain/apiserver/testing';
import { InformerFactory, type KubeClient, resourceRef, Resources } from '@coxswain/client';
import { Scheduler } from '@coxswain/scheduler';
import { silentLogger, systemClock, systemRandom, type Logger, type StateStore } from '@coxswain/sdk';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { ControllerManager } from './controller-manager.js';
import { addNode, playKubelet } from './testing/played-nodes.js';

// The real API server, store, scheduler and controllers; only the kubelet is played.
const base = { clock: systemClock, random: systemRandom, logger: silentLogger };
const soon = { timeout: 30_000, interval: 20 };
let folder: string;
let store: StateStore;
let server: TestServer;
let client: KubeClient;
let stops: (() => Promise<void>)[] = [];
const refused: string[] = [];
/** Remembers what anybody was not allowed to do: everyone acts under the roles it has in a real cluster. */
const note = (_message: string, fields?: Readonly<Record<string, unknown>>) => {
  const text = String((fields?.['err'] as Error | undefined)?.message ?? '');
  if (text.includes('forbidden')) refused.push(text);
};
const warnings: Logger = { ...silentLogger, warn: note, error: note, child: () => warnings };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-control-plane-'));
  store = await openLmdbStore({ path: join(folder, 'db'), clock: systemClock });
  // Room for every test's Services.
  server = await startTestServer({ store, serviceRanges: ['10.96.0.0/16'], nodePorts: { from: 30_000, to: 32_767 } });
  const { authority, clientAs } = server;
  client = clientAs('admin', 'system:masters');
  const manager = new ControllerManager({
    ...base,
    logger: warnings,
    client: clientAs('system:kube-controller-manager'),
    clientFor: (account) => clientAs(`system:serviceaccount:kube-system:${account}`, 'system:serviceaccounts', 'system:serviceaccounts:kube-system'),
    config: { rootCa: authority.cert, allocateNodeCidrs: true, clusterCidrs: ['10.244.0.0/16'] },
  });
  const scheduler = new Scheduler({ ...base, logger: warnings, client: clientAs('system:kube-scheduler') });
  await manager.start(AbortSignal.timeout(10_000));
  await scheduler.start(AbortSignal.timeout(10_000));
  stops = [() => scheduler.stop(AbortSignal.timeout(2000)), () => manager.stop(AbortSignal.timeout(2000)), playKubelet(client)];
  await Promise.all(['n1', 'n2'].map((name) => addNode(client, name)));
});

afterAll(async () => {
  for (const stop of stops) await stop();
  await server[Symbol.asyncDispose]();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const template = (app: string, image = 'app:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image, ports: [{ name: 'http', containerPort: 80 }] }] },
});
const deployment = (name: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name) },
});
const rolledOut = async (name: string) => {
  const d = await client.api.deployments('default').get(name);
  const n = d.spec?.replicas;
  expect(d.status).toMatchObject({ observedGeneration: d.metadata.generation, replicas: n, updatedReplicas: n, availableReplicas: n });
  return d;
};
const setsOf = async (app: string) => (await client.api.replicaSets('default').list({ labelSelector: `app=${app}` })).items;
const podsOf = async (app: string) => (await client.api.pods('default').list({ labelSelector: `app=${app}` })).items;

describe('the control plane', () => {
  it('gives namespaces their service account and root CA, nodes their CIDR', async () => {
    await vi.waitFor(async () => {
      await client.api.serviceAccounts('default').get('default');
      expect((await client.api.configMaps('default').get('kube-root-ca.crt')).data?.['ca.crt']).toContain('BEGIN CERTIFICATE');
      expect((await client.api.nodes().list()).items.map((n) => n.spec?.podCIDR).sort()).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
    }, soon);
  });

  it('rolls a Deployment out, over and back without falling below what has to be available', async () => {
    const api = client.api.deployments('default');
    await client.api.services('default').create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    await api.create(deployment('web', 4));
    await vi.waitFor(() => rolledOut('web'), soon);
    let least = 4;
    const informers = new InformerFactory({ ...base, client });
    informers
      .informer(Resources.deployments)
      .addHandler({ update: (_o, d) => d.metadata.name === 'web' && (least = Math.min(least, d.status?.availableReplicas ?? 0)) });
    informers.start();
    await informers.synced(AbortSignal.timeout(5000));
    await api.patch('web', 'merge', { spec: { template: template('web', 'app:2') } });
    await vi.waitFor(() => rolledOut('web'), soon);
    // `kubectl rollout undo` writes the old template back.
    await api.patch('web', 'merge', { spec: { template: template('web', 'app:1') } });
    const d = await vi.waitFor(async () => {
      const now = await rolledOut('web');
      expect(now.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
      return now;
    }, soon);
    await informers.stop();
    expect(least).toBeGreaterThanOrEqual(3);
    expect(d.status?.conditions?.map((c) => `${c.type}=${c.status}/${c.reason}`).sort()).toEqual([
      'Available=True/MinimumReplicasAvailable',
      'Progressing=True/NewReplicaSetAvailable',
    ]);
    const sets = await setsOf('web');
    expect(sets).toHaveLength(2);
    expect(sets.map((s) => s.metadata.annotations?.['deployment.kubernetes.io/revision-history']).filter(Boolean)).toEqual(['1']);
    await vi.waitFor(async () => {
      const slices = (await client.api.endpointSlices('default').list({ labelSelector: 'kubernetes.io/service-name=web' })).items;
      expect(slices.map((s) => s.endpoints?.map((e) => e.conditions?.ready))).toEqual([[true, true, true, true]]);
      expect((await client.api.endpoints('default').get('web')).subsets?.[0]?.addresses).toHaveLength(4);
    }, soon);
  });

  it.each(['Background', 'Foreground'] as const)('collects what a Deployment leaves behind (%s)', async (propagationPolicy) => {
    const app = `gc-${propagationPolicy.toLowerCase()}`;
    await client.api.deployments('default').create(deployment(app, 2));
    await vi.waitFor(() => rolledOut(app), soon);
    await client.api.deployments('default').delete(app, { propagationPolicy });
    await vi.waitFor(async () => {
      await expect(client.api.deployments('default').get(app)).rejects.toThrow(/not found/);
      expect([...(await setsOf(app)), ...(await podsOf(app))]).toEqual([]);
    }, soon);
  });

  it('lets orphans be, and adopts them again', async () => {
    await client.api.deployments('default').create(deployment('orphan', 2));
    await vi.waitFor(() => rolledOut('orphan'), soon);
    await client.api.deployments('default').delete('orphan', { propagationPolicy: 'Orphan' });
    await vi.waitFor(async () => {
      expect((await setsOf('orphan')).map((s) => s.metadata.ownerReferences ?? [])).toEqual([[]]);
      await expect(client.api.deployments('default').get('orphan')).rejects.toThrow(/not found/);
    }, soon);
    const before = (await podsOf('orphan')).map((p) => p.metadata.uid).sort();
    await client.api.deployments('default').create(deployment('orphan', 2));
    await vi.waitFor(() => rolledOut('orphan'), soon);
    expect((await podsOf('orphan')).map((p) => p.metadata.uid).sort()).toEqual(before);
  });

  it('says why a pod has no node', async () => {
    await client.api.pods('default').create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'big', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '99' } } }] },
    } as Pod);
    const message = '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.';
    await vi.waitFor(async () => {
      expect((await client.api.pods('default').get('big')).status?.conditions?.find((c) => c.type === 'PodScheduled')).toMatchObject({
        status: 'False',
        reason: 'Unschedulable',
        message,
      });
      const events = (await client.api.events('default').list({ fieldSelector: 'involvedObject.name=big' })).items;
      expect(events.map((e) => `${e.reason}: ${e.message}`)).toContain(`FailedScheduling: ${message}`);
    }, soon);
  });

  it('runs a Job to its end and counts every pod once', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'work', namespace: 'default' },
      spec: {
        completions: 5,
        parallelism: 2,
        completionMode: 'Indexed',
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    };
    await client.api.jobs('default').create(job as Job);
    await vi.waitFor(async () => {
      const { status } = await client.api.jobs('default').get('work');
      expect(status).toMatchObject({ succeeded: 5, completedIndexes: '0-4' });
      expect(status?.conditions?.find((c) => c.type === 'Complete')?.status).toBe('True');
    }, soon);
  });

  it('counts as failed what a Job that fails still had running', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'late', namespace: 'default' },
      spec: {
        completions: 5,
        parallelism: 2,
        activeDeadlineSeconds: 1,
        template: { spec: { nodeSelector: { no: 'where' }, restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    };
    await client.api.jobs('default').create(job as Job);
    await vi.waitFor(async () => {
      const { status } = await client.api.jobs('default').get('late');
      expect(status?.conditions?.find((c) => c.type === 'Failed')).toMatchObject({ status: 'True', reason: 'DeadlineExceeded' });
      expect(status).toMatchObject({ failed: 2, uncountedTerminatedPods: {} });
    }, soon);
  });

  it('keeps a StatefulSet in order', async () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: template('db') },
    };
    await client.api.statefulSets('default').create(set as StatefulSet);
    const state = async (n: number) =>
      expect((await client.api.statefulSets('default').get('db')).status).toMatchObject({ readyReplicas: n, updatedReplicas: n, replicas: n });
    await vi.waitFor(() => state(3), soon);
    expect((await podsOf('db')).map((p) => p.metadata.name).sort()).toEqual(['db-0', 'db-1', 'db-2']);
    await client.api.statefulSets('default').patch('db', 'merge', { spec: { replicas: 1 } });
    await vi.waitFor(() => state(1), soon);
    expect((await podsOf('db')).map((p) => p.metadata.name)).toEqual(['db-0']);
  });

  it('empties a namespace of its pods before anything that they use', async () => {
    const metadata = { namespace: 'ordered' };
    await client.api.namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ordered' } });
    await vi.waitFor(() => client.api.serviceAccounts('ordered').get('default'), soon);
    const pods = client.api.pods('ordered');
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'held', finalizers: ['example.com/hold'] }, spec: template('a').spec });
    await client.api.configMaps('ordered').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'used' }, data: {} });
    await client.api.namespaces().delete('ordered');
    await vi.waitFor(async () => {
      const { status } = await client.api.namespaces().get('ordered');
      expect(status?.conditions?.find((c) => c.type === 'NamespaceFinalizersRemaining')?.message).toContain('example.com/hold in 1 resource instances');
    }, soon);
    await client.api.configMaps('ordered').get('used');
    await pods.patch('held', 'merge', { metadata: { finalizers: null } });
    await vi.waitFor(() => expect(client.api.namespaces().get('ordered')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('counts for a quota whatever it names, and gives back what is deleted', async () => {
    const hard = { secrets: '5', 'count/replicasets.apps': '5', 'requests.example.com/dongle': '3' };
    const quotas = client.api.resourceQuotas('default');
    const used = (want: Record<string, string>) => vi.waitFor(async () => expect((await quotas.get('all')).status?.used).toEqual(want), soon);
    await client.api.secrets('default').create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'counted', namespace: 'default' } });
    const sets = String((await client.api.replicaSets('default').list()).items.length);
    await quotas.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'all', namespace: 'default' }, spec: { hard } });
    const rest = { 'count/replicasets.apps': sets, 'requests.example.com/dongle': '0' };
    await used({ secrets: '1', ...rest });
    await client.api.secrets('default').delete('counted');
    await used({ secrets: '0', ...rest });
    await quotas.delete('all');
  });

  it('makes ranges of service addresses ready, and lets unused ones go', async () => {
    const api = client.resource(resourceRef<ServiceCIDR & KubeObject>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false));
    const isReady = (name: string) =>
      vi.waitFor(async () => expect((await api.get(name)).status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]), soon);
    await isReady('kubernetes');
    await api.create({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' }, spec: { cidrs: ['192.168.100.0/24'] } });
    await isReady('more');
    await api.delete('more');
    await vi.waitFor(() => expect(api.get('more')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('takes back that a pod is to be disrupted when nothing came of it', async () => {
    const pods = client.api.pods('default');
    const spec = { ...template('undisturbed').spec, schedulingGates: [{ name: 'example.com/wait' }] };
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'undisturbed', namespace: 'default' }, spec });
    const target = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', lastTransitionTime: '2026-01-01T00:00:00Z' };
    await pods.patch('undisturbed', 'strategic', { status: { conditions: [target] } }, { subresource: 'status' });
    const condition = async () => (await pods.get('undisturbed')).status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    await vi.waitFor(async () => expect(await condition()).toMatchObject({ status: 'False', reason: 'EvictionByEvictionAPI' }), soon);
    await pods.delete('undisturbed');
  });

  it('evicts a pod when a taint has been tolerated for long enough, though nobody said since when it is there', async () => {
    await addNode(client, 'n3');
    const pods = client.api.pods('default');
    const toleration = { key: 'example.com/t', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 };
    await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'patient', namespace: 'default' },
      spec: { ...template('patient').spec, nodeName: 'n3', tolerations: [toleration] },
    });
    await client.api.nodes().patch('n3', 'merge', { spec: { taints: [{ key: 'example.com/t', effect: 'NoExecute' }] } });
    await vi.waitFor(() => expect(pods.get('patient')).rejects.toMatchObject({ status: { code: 404 } }), soon);
    await client.api.nodes().delete('n3');
  });

  it('lets a class of volume attributes go when no claim names it', async () => {
    const classes = client.resource(
      resourceRef<VolumeAttributesClass & KubeObject>('storage.k8s.io', 'v1', 'volumeattributesclasses', 'VolumeAttributesClass', false),
    );
    const claims = client.api.persistentVolumeClaims('default');
    const vac = (name: string) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name },
      driverName: 'a.b',
      parameters: { a: 'b' },
    });
    await Promise.all([classes.create(vac('gold')), classes.create(vac('unused'))]);
    expect((await classes.get('gold')).metadata.finalizers).toEqual(['kubernetes.io/vac-protection']);
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'golden', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', volumeAttributesClassName: 'gold', resources: { requests: { storage: '1Gi' } } },
    });
    await Promise.all([classes.delete('gold'), classes.delete('unused')]);
    await vi.waitFor(() => expect(classes.get('unused')).rejects.toMatchObject({ status: { code: 404 } }), soon);
    expect((await classes.get('gold')).metadata.deletionTimestamp).toBeDefined();
    await claims.delete('golden');
    await vi.waitFor(() => expect(classes.get('gold')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('lets a volume go that was deleted before its claim', async () => {
    const volumes = client.api.persistentVolumes();
    const claims = client.api.persistentVolumeClaims('default');
    const size = { storage: '1Gi' };
    const accessModes = ['ReadWriteOnce'];
    await volumes.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { storageClassName: 'none', accessModes, capacity: size, hostPath: { path: '/nowhere' }, persistentVolumeReclaimPolicy: 'Retain' },
    });
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'default' },
      spec: { storageClassName: 'none', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => expect([(await claims.get('c')).status?.phase, (await volumes.get('v')).status?.phase]).toEqual(['Bound', 'Bound']), soon);
    await volumes.delete('v');
    await claims.delete('c');
    await vi.waitFor(() => expect(volumes.get('v')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('says of a volume that nobody can delete that it failed, and leaves it at that', async () => {
    const volumes = client.api.persistentVolumes();
    const size = { storage: '1Gi' };
    const accessModes = ['ReadWriteOnce'];
    await volumes.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'kept' },
      spec: { storageClassName: 'kept', accessModes, capacity: size, hostPath: { path: '/nowhere' }, persistentVolumeReclaimPolicy: 'Delete' },
    });
    const claims = client.api.persistentVolumeClaims('default');
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'kept', namespace: 'default' },
      spec: { storageClassName: 'kept', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => expect((await volumes.get('kept')).status?.phase).toBe('Bound'), soon);
    await claims.delete('kept');
    const failed = { phase: 'Failed', message: 'error getting deleter volume plugin for volume "kept": no deletable volume plugin matched' };
    await vi.waitFor(async () => expect((await volumes.get('kept')).status).toMatchObject(failed), soon);
    // Looked at once more it stays so.
    await volumes.patch('kept', 'merge', { metadata: { labels: { looked: 'at' } } });
    const { metadata } = await volumes.get('kept');
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'another', namespace: 'default' },
      spec: { storageClassName: 'none-such', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => {
      const { items } = await client.api.events('default').list();
      expect(items.some((e) => e.involvedObject?.name === 'another')).toBe(true);
    }, soon);
    expect(await volumes.get('kept')).toMatchObject({ metadata: { resourceVersion: metadata.resourceVersion }, status: failed });
    await Promise.all([volumes.delete('kept'), claims.delete('another')]);
  });

  describe('devices of ResourceClaims', () => {
    const driver = 'gpu.example.com';
    const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } };
    const gpuPod = (name: string, claim: object, more: object = {}): Pod =>
      ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'app', resources: { claims: [{ name: 'gpu' }] } }], resourceClaims: [{ name: 'gpu', ...claim }], ...more },
      }) as Pod;
    const claims = () => client.api.resourceClaims('default');
    const pods = () => client.api.pods('default');
    const generated = async (pod: string) => (await pods().get(pod)).status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '';
    const gone = (claim: string) => expect(claims().get(claim)).rejects.toThrow(/not found/);

    beforeAll(async () => {
      await client.api.deviceClasses().create({
        apiVersion: 'resource.k8s.io/v1',
        kind: 'DeviceClass',
        metadata: { name: 'gpu' },
        spec: { selectors: [{ cel: { expression: `device.driver == "${driver}" && device.attributes["${driver}"].memory >= 40` } }] },
      });
      const device = (name: string, memory: number) => ({ name, attributes: { memory: { int: memory } } });
      await client.api.resourceSlices().create({
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceSlice',
        metadata: { name: 'n2-gpus' },
        spec: { driver, nodeName: 'n2', pool: { name: 'n2', generation: 1, resourceSliceCount: 1 }, devices: [device('small', 8), device('large', 80)] },
      });
      await client.api.resourceClaimTemplates('default').create({
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceClaimTemplate',
        metadata: { name: 'one-gpu', namespace: 'default' },
        spec: { metadata: { labels: { made: 'by-template' } }, spec },
      } as never);
    });

    it('a claim is made for a pod, and its device is free for the next when the pod is deleted', async () => {
      await pods().create(gpuPod('first', { resourceClaimTemplateName: 'one-gpu' }));
      await vi.waitFor(async () => expect((await pods().get('first')).spec?.nodeName).toBe('n2'), soon);
      const name = await generated('first');
      expect(name).toMatch(/^first-gpu-/);
      const { uid } = (await pods().get('first')).metadata;
      expect(await claims().get(name)).toMatchObject({
        metadata: {
          labels: { made: 'by-template' },
          finalizers: ['resource.kubernetes.io/delete-protection'],
          ownerReferences: [{ kind: 'Pod', name: 'first', controller: true }],
        },
        status: {
          allocation: { devices: { results: [{ request: 'gpu', driver, pool: 'n2', device: 'large' }] } },
          reservedFor: [{ resource: 'pods', name: 'first', uid }],
        },
      });
      await pods().create(gpuPod('second', { resourceClaimTemplateName: 'one-gpu' }));
      await vi.waitFor(async () => {
        const { status } = await pods().get('second');
        expect(status?.conditions?.find((c) => c.type === 'PodScheduled')?.message).toBe(
          '0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
        );
      }, soon);
      await pods().delete('first');
      await vi.waitFor(async () => expect((await pods().get('second')).spec?.nodeName).toBe('n2'), soon);
      await vi.waitFor(() => gone(name), soon);
      await pods().delete('second');
    });

    it('a pod that has ended holds nothing, and its claim goes before it does', async () => {
      await pods().create(gpuPod('once', { resourceClaimTemplateName: 'one-gpu' }, { restartPolicy: 'Never' }));
      await vi.waitFor(async () => expect((await pods().get('once')).status?.phase).toBe('Succeeded'), soon);
      const name = await generated('once');
      await vi.waitFor(() => gone(name), soon);
      await pods().delete('once');
    });

    it('a pod that has ended leaves the devices that stood for its resources', async () => {
      const resource = 'deviceclass.resource.kubernetes.io/gpu';
      const containers = [{ name: 'c', image: 'app', resources: { limits: { [resource]: '1' } } }];
      await pods().create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'extended', namespace: 'default' }, spec: { containers } } as Pod);
      const claim = await vi.waitFor(async () => {
        const name = (await pods().get('extended')).status?.extendedResourceClaimStatus?.resourceClaimName ?? '';
        expect((await claims().get(name)).status?.reservedFor).toMatchObject([{ name: 'extended' }]);
        return name;
      }, soon);
      await pods().patch('extended', 'strategic', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
      await vi.waitFor(() => gone(claim), soon);
      expect((await pods().get('extended')).status?.phase).toBe('Succeeded');
      await pods().delete('extended', { gracePeriodSeconds: 0 });
    });

    it('a claim of its own waits for its pod, is shared, and keeps nothing once the last is gone', async () => {
      await pods().create(gpuPod('early', { resourceClaimName: 'shared' }));
      await claims().create({ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'shared', namespace: 'default' }, spec });
      await pods().create(gpuPod('late', { resourceClaimName: 'shared' }));
      for (const pod of ['early', 'late']) await vi.waitFor(async () => expect((await pods().get(pod)).spec?.nodeName).toBe('n2'), soon);
      const shared = await claims().get('shared');
      expect(shared.status?.reservedFor?.map((r) => r.name).sort()).toEqual(['early', 'late']);
      await expect(claims().updateStatus({ ...shared, status: { ...shared.status, allocation: {} } })).rejects.toThrow('status.allocation: Invalid value');
      await expect(claims().updateStatus({ ...shared, status: { reservedFor: shared.status?.reservedFor ?? [] } })).rejects.toThrow(
        'may not be specified when `allocated` is not set',
      );
      await claims().delete('shared');
      await pods().delete('early');
      await vi.waitFor(async () => expect((await claims().get('shared')).status?.reservedFor?.map((r) => r.name)).toEqual(['late']), soon);
      await pods().delete('late');
      await vi.waitFor(() => gone('shared'), soon);
    });

    it('a pod leaves a device that gets a taint its claim does not tolerate', async () => {
      await pods().create(gpuPod('sick', { resourceClaimTemplateName: 'one-gpu' }));
      await vi.waitFor(async () => expect((await pods().get('sick')).spec?.nodeName).toBe('n2'), soon);
      const { uid } = (await pods().get('sick')).metadata;
      const slice = await client.api.resourceSlices().get('n2-gpus');
      const taints = [{ key: 'broken', effect: 'NoExecute' }];
      const devices = (slice.spec.devices ?? []).map((device) => (device.name === 'large' ? { ...device, taints } : device));
      const tainted = await client.api.resourceSlices().update({ ...slice, spec: { ...slice.spec, devices } });
      expect(tainted.spec.devices?.find(({ name }) => name === 'large')?.taints?.[0]?.timeAdded).toMatch(/Z$/);
      await vi.waitFor(
        async () =>
          expect(
            (
              await pods()
                .get('sick')
                .catch(() => undefined)
            )?.metadata.uid,
          ).not.toBe(uid),
        soon,
      );
      await client.api.resourceSlices().update({ ...tainted, spec: slice.spec });
    });

    it('what is missing is told of', async () => {
      await pods().create(gpuPod('lost', { resourceClaimTemplateName: 'none' }));
      await vi.waitFor(async () => {
        const events = await client.api.events('default').list({ fieldSelector: 'involvedObject.name=lost' });
        expect(events.items.map((e) => `${e.reason}: ${(e as { message?: string }).message}`)).toContain(
          'FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "none": resourceclaimtemplate.resource.k8s.io "none" not found',
        );
      }, soon);
      await pods().delete('lost');
    });
  });

  it('empties a namespace that is deleted, whatever is in it', async () => {
    await client.api.namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } });
    await client.api.deployments('gone').create({ ...deployment('web', 2), metadata: { name: 'web', namespace: 'gone' } });
    await client.api
      .configMaps('gone')
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: 'gone', finalizers: ['example.com/hold'] } });
    await vi.waitFor(async () => expect((await client.api.pods('gone').list()).items).toHaveLength(2), soon);
    await client.api.namespaces().delete('gone');
    await vi.waitFor(async () => {
      const ns = await client.api.namespaces().get('gone');
      expect(ns.status?.conditions?.find((c) => c.type === 'NamespaceFinalizersRemaining')).toMatchObject({
        status: 'True',
        message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      });
    }, soon);
    await client.api.configMaps('gone').patch('held', 'merge', { metadata: { finalizers: null } });
    await vi.waitFor(() => expect(client.api.namespaces().get('gone')).rejects.toThrow(/not found/), soon);
    expect((await client.resource<KubeObject>(Resources.deployments as never, 'gone').list()).items).toEqual([]);
  });
});

it('nobody was refused anything', () => {
  expect(refused).toEqual([]);
});
