import { describe, expect, it } from 'vitest';
import type { Endpoint, EndpointSlice } from '@coxswain/api';
import { planSlices, type SliceTemplate } from './plan-slices.js';

const template: SliceTemplate = {
  addressType: 'IPv4',
  maxEndpoints: 3,
  make: () =>
    ({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { labels: { s: 'x' } }, addressType: 'IPv4', endpoints: [] }) as EndpointSlice,
  metadataFits: () => true,
};
const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
const endpoint = (n: number, ready = true): Endpoint => ({ addresses: [`10.0.0.${n}`], conditions: { ready }, targetRef: { uid: `u${n}` } }) as Endpoint;
const slice = (name: string, ...endpoints: Endpoint[]): EndpointSlice => ({ metadata: { name }, addressType: 'IPv4', ports, endpoints }) as EndpointSlice;
const shape = (p: ReturnType<typeof planSlices>) => ({
  create: p.create.map((s) => s.endpoints?.length),
  update: p.update.map((s) => `${s.metadata.name}:${s.endpoints?.map((e) => e.addresses[0]?.split('.')[3]).join('')}`),
  remove: p.remove.map((s) => s.metadata.name),
});

describe('planSlices', () => {
  it('splits what is too much for one', () =>
    expect(shape(planSlices([], [{ ports, endpoints: [1, 2, 3, 4].map((n) => endpoint(n)) }], template)).create).toEqual([3, 1]));
  it('writes nothing when nothing changed', () =>
    expect(shape(planSlices([slice('a', endpoint(1))], [{ ports, endpoints: [endpoint(1)] }], template))).toEqual({ create: [], update: [], remove: [] }));
  it('touches only the slice a change is in, and fills that one', () => {
    const plan = planSlices(
      [slice('a', endpoint(1), endpoint(2), endpoint(3)), slice('b', endpoint(4))],
      [{ ports, endpoints: [endpoint(1), endpoint(3), endpoint(4), endpoint(5)] }],
      template,
    );
    expect(shape(plan)).toEqual({ create: [], update: ['a:135'], remove: [] });
  });
  it('leaves one empty slice when there are no endpoints', () => {
    expect(shape(planSlices([], [], template)).create).toEqual([0]);
    expect(shape(planSlices([slice('a', endpoint(1)), slice('b', endpoint(2))], [], template))).toEqual({ create: [], update: ['a:'], remove: ['b'] });
  });
  it('sees a changed condition', () =>
    expect(shape(planSlices([slice('a', endpoint(1))], [{ ports, endpoints: [endpoint(1, false)] }], template)).update).toEqual(['a:1']));
});
