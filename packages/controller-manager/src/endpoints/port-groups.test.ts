import type { Node, Pod, Service } from '@coxswain/api';
import { expect, it } from 'vitest';
import { portGroups } from './endpointslice-controller.js';

const pod = (name: string, nodeName: string, ready = 'True'): Pod =>
  ({
    metadata: { name, namespace: 'd', uid: name },
    spec: { nodeName, containers: [] },
    status: { podIP: `10.0.0.${name.length}`, conditions: [{ type: 'Ready', status: ready }] },
  }) as unknown as Pod;
const service = (trafficDistribution?: string): Service =>
  ({ metadata: { name: 's', namespace: 'd' }, spec: { ports: [{ port: 80 }], ...(trafficDistribution ? { trafficDistribution } : {}) } }) as unknown as Service;
const nodeOf = (name: string): Node => ({ metadata: { name, labels: name === 'zoned' ? { 'topology.kubernetes.io/zone': 'z' } : {} } }) as unknown as Node;

const zone = { forZones: [{ name: 'z' }] };

it.each([
  [undefined, undefined, undefined],
  ['PreferClose', zone, undefined],
  ['PreferSameZone', zone, undefined],
  ['PreferSameNode', { ...zone, forNodes: [{ name: 'zoned' }] }, { forNodes: [{ name: 'bare' }] }],
])('traffic distribution %s: whom endpoints that are ready are for', (distribution, onZoned, onBare) => {
  const pods = [pod('a', 'zoned'), pod('bb', 'bare'), pod('ccc', 'zoned', 'False')];
  const endpoints = portGroups(service(distribution), pods, 'IPv4', nodeOf).flatMap((group) => group.endpoints);
  expect(endpoints.map(({ hints }) => hints)).toEqual([onZoned, onBare, undefined]);
});
