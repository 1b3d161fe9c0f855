import type { Pod } from '@coxswain/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { fitErrorMessage } from '../framework/fit-error.js';
import { node, pod, type TestCluster } from '../test-cluster.js';
import { deviceCluster, DRIVER, NOT, slice } from './test-devices.js';

let cluster: TestCluster;

beforeEach(() => {
  cluster = deviceCluster();
});

describe('devices for extended resources', () => {
  const GPU = 'example.com/gpu';
  const requests = (count: number, name = GPU) => ({ resources: { requests: { [name]: `${count}` }, limits: { [name]: `${count}` } } });
  const asking = (...containers: object[]) => pod('p', { containers: containers.map((each, i) => ({ name: `c${i}`, image: 'i', ...each })) });
  const classNamed = (name: string, extendedResourceName: string | undefined, creationTimestamp = '2026-01-01T00:00:00Z') =>
    cluster.deviceClasses.push({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'DeviceClass',
      metadata: { name, creationTimestamp },
      spec: { ...(extendedResourceName && { extendedResourceName }), selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] },
    });
  const plugin = () => cluster.profile.plugins.find((each) => each.name === 'DynamicResources');

  /** One attempt as far as the claim and what the pod's status says of it. */
  async function run(p: Pod): Promise<string> {
    const result = cluster.cycle(p);
    if (result.type === 'error') return `error: ${result.error.message}`;
    if (result.type === 'unschedulable') return fitErrorMessage(result.diagnosis);
    plugin()?.reserve?.(result.state, p, result.node);
    const bound = await plugin()?.preBind?.(result.state, p, result.node, new AbortController().signal);
    expect(bound?.code).toBe('success');
    undo = () => plugin()?.unreserve?.(result.state, p, result.node);
    return result.node;
  }
  let undo = () => {};

  it('are those of the class that names the resource, in a claim that is the pod’s', async () => {
    classNamed('cards', GPU);
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }, { name: 'd1' }, { name: 'd2' }], { nodeName: 'b' }));
    expect(await run(asking(requests(2), {}, requests(1)))).toBe('b');
    const [claimed] = cluster.reserved;
    expect(claimed?.claim).toMatchObject({
      metadata: {
        generateName: 'p-extended-resources-',
        annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', controller: true }],
      },
      spec: {
        devices: {
          requests: [
            { name: 'container-0-request-0', exactly: { deviceClassName: 'cards', allocationMode: 'ExactCount', count: 2 } },
            { name: 'container-2-request-0', exactly: { deviceClassName: 'cards', allocationMode: 'ExactCount', count: 1 } },
          ],
        },
      },
    });
    expect(claimed?.allocation?.devices?.results?.map(({ request, device }) => `${request}=${device}`)).toEqual([
      'container-0-request-0=d0',
      'container-0-request-0=d1',
      'container-2-request-0=d2',
    ]);
    expect(cluster.notedDevices).toEqual([
      {
        resourceClaimName: claimed?.claim.metadata.name,
        requestMappings: [
          { containerName: 'c0', resourceName: GPU, requestName: 'container-0-request-0' },
          { containerName: 'c2', resourceName: GPU, requestName: 'container-2-request-0' },
        ],
      },
    ]);
    // They are taken, by the claim that is there now.
    const other = pod('q', { containers: [{ name: 'c', image: 'i', ...requests(1) }] });
    expect(await run(other)).toBe(NOT('2 cannot allocate all claims'));
  });

  it('are the device plugin’s where there is one', async () => {
    classNamed('cards', GPU);
    cluster.cache.setNode(node('a', { allocatable: { [GPU]: '1' } }));
    expect(await run(asking(requests(1)))).toBe('a');
    expect(cluster.reserved).toEqual([]);
    expect(await run(asking(requests(2)))).toContain(`1 Insufficient ${GPU}`);
  });

  it('come of any class by its own name, and of the youngest that has the name', async () => {
    classNamed('old', GPU);
    classNamed('new', GPU, '2026-02-01T00:00:00Z');
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }, { name: 'd1' }]));
    expect(await run(asking(requests(1), requests(1, 'deviceclass.resource.kubernetes.io/old')))).toBe('a');
    expect(cluster.reserved[0]?.claim.spec.devices?.requests?.map(({ exactly }) => exactly?.deviceClassName)).toEqual(['new', 'old']);
  });

  it('nobody has without a class', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }]));
    expect(await run(asking(requests(1)))).toBe(NOT(`2 Insufficient ${GPU}`));
  });

  it('of init containers are those of later ones, and what the neediest needs besides', async () => {
    classNamed('cards', GPU);
    cluster.resourceSlices.push(
      slice(
        's',
        [0, 1, 2, 3].map((i) => ({ name: `d${i}` })),
      ),
    );
    const container = (name: string, count: number, more: object = {}) => ({ name, image: 'i', ...requests(count), ...more });
    const p = pod('p', {
      initContainers: [container('i0', 4), container('side', 1, { restartPolicy: 'Always' }), container('i2', 3)],
      containers: [container('c', 1)],
    });
    expect(await run(p)).toBe('a');
    expect(cluster.reserved[0]?.claim.spec.devices?.requests?.map(({ name, exactly }) => `${name}=${exactly?.count}`)).toEqual([
      'container-0-request-0=2',
      'container-1-request-0=1',
      'container-3-request-0=1',
    ]);
    expect(cluster.notedDevices[0]?.requestMappings.map(({ containerName, requestName }) => `${containerName}: ${requestName}`)).toEqual([
      'side: container-1-request-0',
      'c: container-3-request-0',
      'i0: container-1-request-0',
      'i0: container-3-request-0',
      'i0: container-0-request-0',
      'i2: container-3-request-0',
      'i2: container-0-request-0',
    ]);
  });

  it('are given back with the claim when the pod cannot be bound, and a claim that was left over goes first', async () => {
    classNamed('cards', GPU);
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }]));
    const p = asking(requests(1));
    expect(await run(p)).toBe('a');
    expect(cluster.resourceClaims).toHaveLength(1);
    const result = cluster.cycle(p);
    expect(result.type === 'unschedulable' && fitErrorMessage(result.diagnosis)).toBe(NOT('2 cannot schedule extended resource claim'));
    expect(await plugin()?.postFilter?.(result.state, p, new Map(), new AbortController().signal)).toEqual({ message: 'deletion of ResourceClaim completed' });
    expect(cluster.resourceClaims).toEqual([]);
    expect(await run(p)).toBe('a');
    undo();
    expect(cluster.resourceClaims).toEqual([]);
  });
});
