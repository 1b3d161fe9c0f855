import type { AllocationResult, Device, DeviceRequest, ResourceClaim, ResourceSlice } from '@coxswain/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { fitErrorMessage } from '../framework/fit-error.js';
import { node, pod, TestCluster } from '../test-cluster.js';

const DRIVER = 'gpu.example.com';
let cluster: TestCluster;

beforeEach(() => {
  cluster = new TestCluster();
  for (const name of ['a', 'b']) cluster.cache.setNode(node(name));
  cluster.deviceClasses.push({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'gpu' },
    spec: {
      selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }],
      config: [{ opaque: { driver: DRIVER, parameters: { mode: 'shared' } } }],
    },
  });
});

type SliceSpec = Partial<ResourceSlice['spec']>;
const slice = (name: string, devices: Device[], spec: SliceSpec = { nodeName: 'a' }): ResourceSlice => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name },
  spec: { driver: DRIVER, pool: { name: spec.nodeName ?? 'pool', generation: 1, resourceSliceCount: 1 }, devices, ...spec },
});

const exactly = (name: string, more: Partial<NonNullable<DeviceRequest['exactly']>> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...more },
});
const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] });

function claim(name: string, requests: DeviceRequest[], more: Partial<NonNullable<ResourceClaim['spec']['devices']>> = {}): ResourceClaim {
  const made: ResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1' },
    spec: { devices: { requests, ...more } },
  };
  cluster.resourceClaims.push(made);
  return made;
}

const user = (name: string, ...claims: string[]) => pod(name, { resourceClaims: claims.map((c) => ({ name: c, resourceClaimName: c })) });

/** One attempt: the node and the devices by request, or why not. The pod is reserved and its claims stay promised. */
async function place(name: string, ...claims: string[]): Promise<string> {
  const p = user(name, ...claims);
  const result = cluster.cycle(p);
  if (result.type === 'error') return `error: ${result.error.message}`;
  if (result.type === 'unschedulable') return fitErrorMessage(result.diagnosis);
  const plugin = cluster.profile.plugins.find((each) => each.name === 'DynamicResources');
  cluster.reserved.length = 0;
  plugin?.reserve?.(result.state, p, result.node);
  if (reserveOnly) return result.node;
  await plugin?.preBind?.(result.state, p, result.node, new AbortController().signal);
  const devices = cluster.reserved.flatMap(({ allocation }) => allocation?.devices?.results ?? []).map((r) => `${r.request}=${r.device}`);
  return [`${result.node}:`, ...devices].join(' ');
}
let reserveOnly = false;

const ask = (requests: DeviceRequest[], more: Parameters<typeof claim>[2] = {}): Promise<string> => {
  claim('c', requests, more);
  return place('p', 'c');
};
const allocation = (): AllocationResult => cluster.reserved[0]?.allocation as AllocationResult;
const NOT = (reasons: string) => `0/2 nodes are available: ${reasons}.`;

describe('devices for a claim', () => {
  it('come from the node that has them, and are nobody else’s then', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }, { name: 'd1' }], { nodeName: 'b' }));
    expect(await ask([exactly('one')])).toBe('b: one=d0');
    expect(allocation()).toEqual({
      devices: {
        results: [{ request: 'one', driver: DRIVER, pool: 'b', device: 'd0' }],
        config: [{ source: 'FromClass', opaque: { driver: DRIVER, parameters: { mode: 'shared' } } }],
      },
      nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }] },
    });
    claim('second', [exactly('one')]);
    expect(await place('q', 'second')).toBe('b: one=d1');
    claim('third', [exactly('one')]);
    expect(await place('r', 'third')).toBe(NOT('2 cannot allocate all claims'));
  });

  it('are promised from the decision on, before anything is written', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }]));
    claim('c', [exactly('one')]);
    claim('other', [exactly('one')]);
    reserveOnly = true;
    expect(await place('p', 'c')).toBe('a');
    reserveOnly = false;
    expect(await place('q', 'other')).toBe(NOT('2 cannot allocate all claims'));
    expect(await place('r', 'c')).toBe(NOT('resource claim default/c is in the process of being allocated'));
  });

  it.each([
    ['device.attributes["gpu.example.com"].memory > 10', 'a: r=big'],
    ['device.attributes["gpu.example.com"].family == "k" && !device.attributes["gpu.example.com"].ecc', 'a: r=small'],
    ['device.capacity["gpu.example.com"].vram.isGreaterThan(quantity("20Gi"))', 'a: r=big'],
    ['device.attributes["gpu.example.com"].driverVersion.isLessThan(semver("2.0.0"))', 'a: r=small'],
    ['cel.bind(gpu, device.attributes["gpu.example.com"], gpu.ecc && gpu.memory > 1)', 'a: r=big'],
    ['"memory" in device.attributes["other.example.com"]', NOT('2 cannot allocate all claims')],
    ['"other.example.com" in device.attributes && device.attributes["other.example.com"].x', NOT('2 cannot allocate all claims')],
    [
      'device.attributes["other.example.com"].x == 1',
      'error: claim default/c: selector #0 on device gpu.example.com/a/small: CEL runtime error: no such key: x',
    ],
    ['device.nope', 'error: claim default/c: selector #0 on device gpu.example.com/a/small: CEL runtime error: no such key: nope'],
    ['device.driver ==', 'error: claim default/c: selector #0: CEL compile error: compilation failed'],
    ['device.driver', 'error: claim default/c: selector #0 on device gpu.example.com/a/small: CEL runtime error: CEL result of type string'],
  ])('selects by %s', async (expression, outcome) => {
    const attributes = (memory: number, ecc: boolean, version: string) => ({
      memory: { int: memory },
      ecc: { bool: ecc },
      family: { string: 'k' },
      'gpu.example.com/driverVersion': { version },
    });
    cluster.resourceSlices.push(
      slice('s', [
        { name: 'small', attributes: attributes(8, false, '1.9.0'), capacity: { vram: { value: '8Gi' } } },
        { name: 'big', attributes: attributes(80, true, '2.1.0-rc.1'), capacity: { vram: { value: '80Gi' } } },
      ]),
    );
    expect(await ask([exactly('r', cel(expression))])).toContain(outcome);
  });

  it('are several, all, or the first alternative that there is', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }, { name: 'd1' }, { name: 'd2' }]));
    const big = { name: 'big', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 4 };
    expect(await ask([{ name: 'r', firstAvailable: [big, { ...big, name: 'small', count: 2 }] }])).toBe('a: r/small=d0 r/small=d1');
    claim('rest', [exactly('all', { allocationMode: 'All', count: undefined as never })]);
    expect(await place('q', 'rest')).toBe(NOT('2 cannot allocate all claims'));
    claim('admin', [exactly('all', { allocationMode: 'All', count: undefined as never, adminAccess: true })]);
    expect(await place('s', 'admin')).toBe('a: all=d0 all=d1 all=d2');
    expect(allocation().devices?.results?.[0]).toMatchObject({ adminAccess: true });
    claim('last', [exactly('one')]);
    expect(await place('t', 'last')).toBe('a: one=d2');
  });

  it('keep to constraints among them, with what was picked first taken back', async () => {
    const at = (name: string, numa: number) => ({ name, attributes: { numa: { int: numa } } });
    cluster.resourceSlices.push(slice('s', [at('d0', 0), at('d1', 1), at('d2', 1), { name: 'bare' }]));
    const same = { constraints: [{ matchAttribute: `${DRIVER}/numa` }] };
    expect(await ask([exactly('x'), exactly('y')], same)).toBe('a: x=d1 y=d2');
    claim('spread', [exactly('x', { count: 2, adminAccess: true })], { constraints: [{ distinctAttribute: `${DRIVER}/numa`, requests: ['x'] }] });
    expect(await place('q', 'spread')).toBe('a: x=d0 x=d1');
  });

  it('that are tainted want tolerance', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0', taints: [{ key: 'broken', effect: 'NoSchedule' }] }]));
    expect(await ask([exactly('r')])).toBe(NOT('2 cannot allocate all claims'));
    const tolerations = [{ key: 'broken', operator: 'Exists' }];
    claim('brave', [exactly('r', { tolerations })]);
    expect(await place('q', 'brave')).toBe('a: r=d0');
    expect(allocation().devices?.results?.[0]?.tolerations).toEqual(tolerations);
  });

  it('that are parts of a larger one share its counters', async () => {
    const part = (name: string, memory: string) => ({ name, consumesCounters: [{ counterSet: 'card', counters: { memory: { value: memory } } }] });
    cluster.resourceSlices.push(
      slice('s', [part('whole', '80Gi'), part('half', '40Gi'), part('other', '40Gi')], {
        nodeName: 'a',
        sharedCounters: [{ name: 'card', counters: { memory: { value: '80Gi' } } }],
      }),
    );
    claim('two', [exactly('x', { count: 2 })]);
    expect(await place('q', 'two')).toBe('a: x=half x=other');
    claim('more', [exactly('x')]);
    expect(await place('r', 'more')).toBe(NOT('2 cannot allocate all claims'));
  });
});

describe('pools', () => {
  const pool = (generation: number, resourceSliceCount: number): SliceSpec => ({ nodeName: 'a', pool: { name: 'a', generation, resourceSliceCount } });

  it('count with their newest generation, once it is complete', async () => {
    cluster.resourceSlices.push(slice('old', [{ name: 'old' }], pool(1, 1)), slice('new', [{ name: 'new' }], pool(2, 2)));
    expect(await ask([exactly('r')])).toBe(NOT('2 cannot allocate all claims'));
    claim('all', [exactly('r', { allocationMode: 'All', count: undefined as never })]);
    expect(await place('q', 'all')).toBe(
      NOT('1 cannot allocate all claims, 1 claim default/all, request r: asks for all devices, but resource pool gpu.example.com/a is currently being updated'),
    );
    cluster.resourceSlices.push(slice('new2', [{ name: 'newer' }], pool(2, 2)));
    expect(await place('s', 'all')).toBe('a: r=new r=newer');
  });

  it('with a device name twice are of no use', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'x' }, { name: 'x' }]));
    expect(await ask([exactly('r')])).toBe(NOT('1 cannot allocate all claims, 1 invalid resource pools were encountered'));
  });

  it('of all nodes, of some by label, and of devices one by one', async () => {
    const zone = (value: string) => ({ nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] }] });
    cluster.cache.setNode(node('b', { labels: { zone: 'east' } }));
    cluster.resourceSlices.push(slice('s', [{ name: 'net' }], { nodeSelector: zone('east') }));
    expect(await ask([exactly('r')])).toBe('b: r=net');
    expect(allocation().nodeSelector).toEqual(zone('east'));
    cluster.resourceSlices.push(
      slice(
        'each',
        [
          { name: 'on-a', nodeName: 'a' },
          { name: 'west', nodeSelector: zone('west') },
        ],
        {
          perDeviceNodeSelection: true,
          pool: { name: 'each', generation: 1, resourceSliceCount: 1 },
        },
      ),
    );
    claim('two', [exactly('r')]);
    expect(await place('q', 'two')).toBe('a: r=on-a');
    cluster.resourceSlices.push(slice('all', [{ name: 'any' }], { allNodes: true, pool: { name: 'all', generation: 1, resourceSliceCount: 1 } }));
    claim('three', [exactly('r')]);
    expect(await place('r', 'three')).toBe('a: r=any');
    expect(allocation().nodeSelector).toBeUndefined();
  });
});

describe('claims', () => {
  it.each<[string, Parameters<typeof pod>[1], string]>([
    ['that a template has not made yet', { resourceClaims: [{ name: 'c', resourceClaimTemplateName: 't' }] }, 'pod "default/p": ResourceClaim not created yet'],
    ['that do not exist', { resourceClaims: [{ name: 'c', resourceClaimName: 'none' }] }, 'could not find v1.ResourceClaim "default/none"'],
  ])('%s keep the pod waiting', (_, spec, reason) => {
    const plugin = cluster.profile.plugins.find((each) => each.name === 'DynamicResources');
    expect(plugin?.preEnqueue?.(pod('p', spec))).toMatchObject({ code: 'unresolvable', reason });
    expect(cluster.outcome(pod('p', spec))).toBe(NOT(reason));
  });

  it('of a class that is not there, of too many devices, or with what is not supported, are told of', async () => {
    expect(await ask([exactly('r', { deviceClassName: 'none' })])).toBe(NOT('request r: device class none does not exist'));
    claim('many', [exactly('r', { count: 33 })]);
    expect(await place('q', 'many')).toBe('error: claim default/many: number of requested devices 33 exceeds the claim limit of 32');
    claim('share', [exactly('r', { capacity: { requests: { vram: '1Gi' } } })]);
    expect(await place('r', 'share')).toContain('asks for a share of the capacity of devices, which is not supported');
  });

  it('that are allocated go where their devices are; idle ones elsewhere are let go first', async () => {
    const c = claim('c', [exactly('r')]);
    c.status = {
      allocation: { nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }] } },
    };
    expect(await place('p', 'c')).toBe('b:');
    cluster.cache.removeNode('b');
    const p = user('p', 'c');
    const result = cluster.cycle(p);
    expect(result.type).toBe('unschedulable');
    const plugin = cluster.profile.postFilter[0];
    expect(plugin?.name).toBe('DynamicResources');
    expect(await plugin?.postFilter(result.state, p, new Map(), new AbortController().signal)).toEqual({ message: 'deallocation of ResourceClaim completed' });
    expect(cluster.deallocated).toEqual(['c']);
    c.metadata.resourceVersion = '3';
    c.status.reservedFor = [{ resource: 'pods', name: 'x', uid: 'x' }];
    const again = cluster.cycle(p);
    expect(await plugin?.postFilter(again.state, p, new Map(), new AbortController().signal)).toEqual({ message: 'still not schedulable' });
  });

  it('that cannot take one more pod are in use', async () => {
    const c = claim('c', [exactly('r')]);
    c.status = { allocation: {}, reservedFor: Array.from({ length: 256 }, (_, i) => ({ resource: 'pods', name: `p${i}`, uid: `u${i}` })) };
    expect(await place('p', 'c')).toBe(NOT('resourceclaim in use'));
  });

  it('configure their devices after the class, each part for those it is about', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'd0' }, { name: 'd1' }]));
    const opaque = (parameters: object) => ({ opaque: { driver: DRIVER, parameters } });
    const sub = { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 };
    await ask(
      [
        exactly('x'),
        {
          name: 'y',
          firstAvailable: [
            { ...sub, name: 'first' },
            { ...sub, name: 'second' },
          ],
        },
      ],
      {
        config: [opaque({ all: 1 }), { requests: ['y/first'], ...opaque({ first: 1 }) }, { requests: ['y/second'], ...opaque({ second: 1 }) }],
      },
    );
    expect(allocation().devices?.config).toEqual([
      { source: 'FromClass', ...opaque({ mode: 'shared' }) },
      { source: 'FromClaim', ...opaque({ all: 1 }) },
      { source: 'FromClaim', requests: ['y/first'], ...opaque({ first: 1 }) },
    ]);
  });

  it('bring waiting pods back when devices come free, or they themselves change', () => {
    const plugin = cluster.profile.plugins.find((each) => each.name === 'DynamicResources');
    const helps = plugin?.events?.find((e) => e.resource === 'ResourceClaim' && e.action === 'update')?.helps;
    const [mine, other] = [claim('c', [exactly('r')]), claim('other', [exactly('r')])];
    const p = user('p', 'c');
    const allocated = { ...other, status: { allocation: {} } };
    expect(helps?.(p, other as never, allocated as never)).toBe(false);
    expect(helps?.(p, allocated as never, other as never)).toBe(true);
    expect(helps?.(p, mine as never, { ...mine, status: { allocation: {} } } as never)).toBe(true);
    expect(helps?.(p, mine as never, { ...mine, metadata: { ...mine.metadata, finalizers: ['x'] } } as never)).toBe(false);
    expect(helps?.(user('q', 'none'), allocated as never, other as never)).toBe(false);
  });
});
