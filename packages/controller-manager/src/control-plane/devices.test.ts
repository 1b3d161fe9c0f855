import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pod } from '@coxswain/api';
import { soon, useControlPlane } from '../testing/control-plane.js';

const plane = useControlPlane();

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
  const claims = () => plane.api.resourceClaims('default');
  const pods = () => plane.api.pods('default');
  const generated = async (pod: string) => (await pods().get(pod)).status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '';
  const gone = (claim: string) => expect(claims().get(claim)).rejects.toThrow(/not found/);

  beforeAll(async () => {
    await plane.api.deviceClasses().create({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'DeviceClass',
      metadata: { name: 'gpu' },
      spec: { selectors: [{ cel: { expression: `device.driver == "${driver}" && device.attributes["${driver}"].memory >= 40` } }] },
    });
    const device = (name: string, memory: number) => ({ name, attributes: { memory: { int: memory } } });
    await plane.api.resourceSlices().create({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: 'n2-gpus' },
      spec: { driver, nodeName: 'n2', pool: { name: 'n2', generation: 1, resourceSliceCount: 1 }, devices: [device('small', 8), device('large', 80)] },
    });
    await plane.api.resourceClaimTemplates('default').create({
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
    const slice = await plane.api.resourceSlices().get('n2-gpus');
    const taints = [{ key: 'broken', effect: 'NoExecute' }];
    const devices = (slice.spec.devices ?? []).map((device) => (device.name === 'large' ? { ...device, taints } : device));
    const tainted = await plane.api.resourceSlices().update({ ...slice, spec: { ...slice.spec, devices } });
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
    await plane.api.resourceSlices().update({ ...tainted, spec: slice.spec });
  });

  it('what is missing is told of', async () => {
    await pods().create(gpuPod('lost', { resourceClaimTemplateName: 'none' }));
    await vi.waitFor(async () => {
      const events = await plane.api.events('default').list({ fieldSelector: 'involvedObject.name=lost' });
      expect(events.items.map((e) => `${e.reason}: ${(e as { message?: string }).message}`)).toContain(
        'FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "none": resourceclaimtemplate.resource.k8s.io "none" not found',
      );
    }, soon);
    await pods().delete('lost');
  });
});
