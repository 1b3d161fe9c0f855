import { describe, expect, test } from 'vitest';
import { networkAddress, overlap, within } from './cidr.js';
import { conflist } from './cni-config.js';
import { nodeFacts, VTEP_MAC_ANNOTATION } from './facts.js';
import { planPaths, podMtu, type Underlay } from './plan.js';

const underlay: Underlay = { linkIndex: 2, address: '192.0.2.1', prefix: 24, mtu: 1500 };
const self = { name: 'a', address: '192.0.2.1', podCIDR: '10.244.0.0/24', mac: '02:00:00:00:00:01' };
const near = { name: 'b', address: '192.0.2.2', podCIDR: '10.244.1.0/24', mac: '02:00:00:00:00:02' };
const far = { name: 'c', address: '198.51.100.3', podCIDR: '10.244.2.0/24', mac: '02:00:00:00:00:03' };

describe('planPaths', () => {
  const direct = { kind: 'direct', podCIDR: '10.244.1.0/24', gateway: '192.0.2.2' };
  const tunnel = (n: number, mac: string, remote: string) => ({ kind: 'tunnel', podCIDR: `10.244.${n}.0/24`, gateway: `10.244.${n}.0`, mac, remote });

  test('auto takes routes on the own link and the tunnel elsewhere', () => {
    expect(planPaths(self, [self, far, near], 'auto', underlay)).toEqual({ paths: [direct, tunnel(2, far.mac, far.address)], unreachable: [] });
  });

  test('vxlan takes the tunnel everywhere', () => {
    expect(planPaths(self, [near, far], 'vxlan', underlay).paths).toEqual([tunnel(1, near.mac, near.address), tunnel(2, far.mac, far.address)]);
  });

  test('direct says whom it cannot reach, and what would', () => {
    const plan = planPaths(self, [near, far], 'direct', underlay);
    expect(plan.paths).toEqual([direct]);
    expect(plan.unreachable).toEqual([
      { node: 'c', reason: "its address 198.51.100.3 is not on this node's link 192.0.2.1/24; mode auto or vxlan would reach it" },
    ]);
  });

  test('a node that has not introduced itself yet is waited for, without a word', () => {
    const { mac: _mac, ...newcomer } = far;
    expect(planPaths(self, [newcomer, { name: 'd', address: '192.0.2.4' }], 'auto', underlay)).toEqual({ paths: [], unreachable: [] });
  });

  test('overlapping pod networks: the first by name has it, nobody takes our own', () => {
    const thief = { ...near, name: 'b2', podCIDR: '10.244.0.128/25' };
    const twin = { ...near, name: 'z', address: '192.0.2.9' };
    const { paths, unreachable } = planPaths(self, [twin, near, thief], 'auto', underlay);
    expect(paths).toEqual([direct]);
    expect(unreachable.map(({ reason }) => reason)).toEqual([
      'its podCIDR 10.244.0.128/25 overlaps 10.244.0.0/24 of node a',
      'its podCIDR 10.244.1.0/24 overlaps 10.244.1.0/24 of node b',
    ]);
  });
});

test('pods get what the tunnel leaves of the MTU, unless no packet ever takes it', () => {
  expect([podMtu('auto', underlay), podMtu('vxlan', underlay), podMtu('direct', underlay), podMtu('vxlan', { mtu: 9000 })]).toEqual([1450, 1450, 1500, 8950]);
});

test('facts of a node: IPv4 only, and no rubbish for a MAC', () => {
  const node = (metadata: object) => ({
    apiVersion: 'v1' as const,
    kind: 'Node' as const,
    metadata: { name: 'n', ...metadata },
    spec: { podCIDR: 'fd00::/64', podCIDRs: ['fd00::/64', '10.244.7.0/24'] },
    status: {
      addresses: [
        { type: 'Hostname', address: 'n' },
        { type: 'InternalIP', address: 'fd01::1' },
        { type: 'InternalIP', address: '192.0.2.7' },
      ],
    },
  });
  expect(nodeFacts(node({ annotations: { [VTEP_MAC_ANNOTATION]: '02:AB:00:00:00:07' } }))).toEqual({
    name: 'n',
    address: '192.0.2.7',
    podCIDR: '10.244.7.0/24',
    mac: '02:ab:00:00:00:07',
  });
  expect(nodeFacts(node({ annotations: { [VTEP_MAC_ANNOTATION]: 'nonsense' } }))).not.toHaveProperty('mac');
});

test('network arithmetic', () => {
  expect(within('10.244.3.7', '10.244.0.0/16')).toBe(true);
  expect(within('10.244.0.0/15', '10.244.0.0/16')).toBe(false);
  expect(within('255.255.255.255', '0.0.0.0/0')).toBe(true);
  expect(overlap('10.0.0.0/8', '10.9.0.0/24')).toBe(true);
  expect(overlap('10.9.1.0/24', '10.9.2.0/24')).toBe(false);
  expect(networkAddress('10.244.3.77/24')).toBe('10.244.3.0');
});

test('the CNI configuration is one that the reference plugins take too', () => {
  expect(conflist({ name: 'net', bridge: 'cni0', podCIDR: '10.244.1.0/24', mtu: 1450 })).toMatchObject({
    cniVersion: '1.0.0',
    name: 'net',
    plugins: [
      { type: 'bridge', bridge: 'cni0', mtu: 1450, isGateway: true, ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.1.0/24' }]] } },
      { type: 'portmap' },
    ],
  });
});
