import type { AllocationResult, Device, DeviceRequest, ResourceClaim } from '@coxswain/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { fitErrorMessage } from '../framework/fit-error.js';
import { node, pod, type TestCluster } from '../test-cluster.js';
import { deviceCluster, DRIVER, NOT, slice, type SliceSpec } from './test-devices.js';

let cluster: TestCluster;

beforeEach(() => {
  cluster = deviceCluster();
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

  it('of a class that is not there, or of too many devices, are told of', async () => {
    expect(await ask([exactly('r', { deviceClassName: 'none' })])).toBe(NOT('request r: device class none does not exist'));
    claim('many', [exactly('r', { count: 33 })]);
    expect(await place('q', 'many')).toBe('error: claim default/many: number of requested devices 33 exceeds the claim limit of 32');
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

describe('devices that several may share', () => {
  const shared = (name: string, more: Partial<Device> = {}): Device => ({
    name,
    allowMultipleAllocations: true,
    capacity: { memory: { value: '10Gi' } },
    ...more,
  });
  const share = (memory?: string) => exactly('r', memory === undefined ? {} : { capacity: { requests: { memory } } });
  const results = () => allocation().devices?.results ?? [];

  it('are given out until their capacity is used up', async () => {
    cluster.resourceSlices.push(slice('s', [shared('d0')]));
    claim('one', [share('6Gi')]);
    expect(await place('p', 'one')).toBe('a: r=d0');
    expect(results()[0]).toEqual({ request: 'r', driver: DRIVER, pool: 'a', device: 'd0', shareID: 'u', consumedCapacity: { memory: '6Gi' } });
    claim('two', [share('6Gi')]);
    expect(await place('q', 'two')).toBe(NOT('2 cannot allocate all claims'));
    claim('three', [share('4Gi')]);
    expect(await place('r', 'three')).toBe('a: r=d0');
  });

  it('count what is decided and not yet written, and what other claims have', async () => {
    cluster.resourceSlices.push(slice('s', [shared('d0')]));
    const result = { request: 'r', driver: DRIVER, pool: 'a', device: 'd0', shareID: 'x', consumedCapacity: { memory: '3Gi' } };
    claim('there', [share()]).status = { allocation: { devices: { results: [result] } } };
    claim('one', [share('5Gi')]);
    claim('two', [share('5Gi')]);
    reserveOnly = true;
    expect(await place('p', 'one')).toBe('a');
    reserveOnly = false;
    expect(await place('q', 'two')).toBe(NOT('2 cannot allocate all claims'));
  });

  it('may come several times in one claim', async () => {
    cluster.resourceSlices.push(slice('s', [shared('d0')]));
    claim('c', [exactly('r', { count: 3, capacity: { requests: { memory: '3Gi' } } })]);
    expect(await place('p', 'c')).toBe('a: r=d0 r=d0 r=d0');
    claim('more', [exactly('r', { count: 2, capacity: { requests: { memory: '1Gi' } } })]);
    expect(await place('q', 'more')).toBe(NOT('2 cannot allocate all claims'));
  });

  it.each([
    ['nothing asked for takes all', undefined, undefined, '10Gi'],
    ['nothing asked for takes the default', { default: '2Gi' }, undefined, '2Gi'],
    ['up to the next valid value', { default: '2Gi', validValues: ['2Gi', '4Gi', '8Gi'] }, '3Gi', '4Gi'],
    ['beyond the valid values', { default: '2Gi', validValues: ['2Gi', '4Gi'] }, '5Gi', undefined],
    ['up to the minimum', { default: '2Gi', validRange: { min: '2Gi' } }, '1Gi', '2Gi'],
    ['up to the next step', { default: '1Gi', validRange: { min: '1Gi', step: '2Gi' } }, '4Gi', '5Gi'],
    ['beyond the maximum', { default: '1Gi', validRange: { min: '1Gi', max: '3Gi' } }, '4Gi', undefined],
    ['more than there is', undefined, '11Gi', undefined],
  ])('round requests: %s', async (_, requestPolicy, memory, taken) => {
    cluster.resourceSlices.push(slice('s', [shared('d0', { capacity: { memory: { value: '10Gi', ...(requestPolicy && { requestPolicy }) } } })]));
    expect(await ask([share(memory)])).toBe(taken === undefined ? NOT('2 cannot allocate all claims') : 'a: r=d0');
    if (taken !== undefined) expect(results()[0]?.consumedCapacity).toEqual({ memory: taken });
  });

  it('use the counters they are cut from once', async () => {
    const consumesCounters = [{ counterSet: 'c', counters: { slots: { value: '1' } } }];
    const sharedCounters = [{ name: 'c', counters: { slots: { value: '1' } } }];
    cluster.resourceSlices.push(slice('s', [shared('d0', { consumesCounters }), shared('d1', { consumesCounters })], { nodeName: 'a', sharedCounters }));
    claim('c', [exactly('r', { count: 2, capacity: { requests: { memory: '4Gi' } } })]);
    expect(await place('p', 'c')).toBe('a: r=d0 r=d0');
    claim('more', [share('4Gi')]);
    expect(await place('q', 'more')).toBe(NOT('2 cannot allocate all claims'));
  });

  it('and those that may not be: a request for capacity selects, and a name nobody has selects nothing', async () => {
    cluster.resourceSlices.push(
      slice('s', [
        { name: 'small', capacity: { memory: { value: '1Gi' } } },
        { name: 'big', capacity: { memory: { value: '8Gi' } } },
      ]),
    );
    expect(await ask([share('2Gi')])).toBe('a: r=big');
    expect(results()[0]).not.toHaveProperty('shareID');
    claim('none', [exactly('r', { capacity: { requests: { cores: '1' } } })]);
    expect(await place('q', 'none')).toBe(NOT('2 cannot allocate all claims'));
  });

  it('are told apart by expressions', async () => {
    cluster.resourceSlices.push(slice('s', [{ name: 'own' }, shared('d0')]));
    expect(await ask([exactly('r', cel('device.allowMultipleAllocations'))])).toBe('a: r=d0');
  });
});

describe('devices that have to be made ready', () => {
  const waits: Device = { name: 'd0', bindingConditions: ['Attached'], bindingFailureConditions: ['Broken'], bindsToNode: true };
  const told = (type: string): NonNullable<ResourceClaim['status']>['devices'] => [
    {
      driver: DRIVER,
      pool: 'pool',
      device: 'd0',
      conditions: [{ type, status: 'True', reason: 'r', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  ];

  async function bind(devices: NonNullable<ResourceClaim['status']>['devices']) {
    cluster.resourceSlices.push(slice('s', [waits], { allNodes: true }));
    const c = claim('c', [exactly('r')]);
    const p = user('p', 'c');
    const result = cluster.cycle(p);
    if (result.type !== 'placed') throw new Error(result.type);
    const plugin = cluster.profile.plugins.find((each) => each.name === 'DynamicResources');
    plugin?.reserve?.(result.state, p, result.node);
    const done = plugin?.preBind?.(result.state, p, result.node, new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    // What the informer shows next: the allocation, and what the driver says of it.
    const given = cluster.reserved[0]?.allocation as AllocationResult;
    c.metadata.resourceVersion = '3';
    c.status = { allocation: given, reservedFor: [{ resource: 'pods', name: 'p', uid: p.metadata.uid ?? '' }], ...(devices && { devices }) };
    return { status: await done, given };
  }

  it('are waited for', async () => {
    const { status, given } = await bind(told('Attached'));
    expect(status).toEqual({ code: 'success' });
    expect(given.devices?.results?.[0]).toMatchObject({ bindingConditions: ['Attached'], bindingFailureConditions: ['Broken'] });
    expect(given.allocationTimestamp).toMatch(/Z$/);
    expect(given.nodeSelector?.nodeSelectorTerms[0]?.matchFields).toEqual([
      { key: 'metadata.name', operator: 'In', values: [expect.stringMatching(/^[ab]$/)] },
    ]);
  });

  it('are given back when that fails', async () => {
    const { status } = await bind(told('Broken'));
    expect(status).toEqual({ code: 'unschedulable', reason: 'resourceclaim default/c: binding failure condition Broken is true' });
    expect(cluster.deallocated).toEqual(['c']);
  });

  it('come after those that are good at once', async () => {
    cluster.resourceSlices.push(slice('s', [waits, { name: 'd1' }]));
    expect(await ask([exactly('r')])).toBe('a: r=d1');
  });
});
