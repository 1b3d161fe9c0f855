import type { KubeObject } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import type { StoredObject } from '../storage/stored-object.js';
import { IpRange } from './ip-range.js';
import { ServiceRanges } from './service-ranges.js';

const cidr = (name: string, cidrs: string[], status: string, metadata = {}) =>
  ({
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name, ...metadata },
      spec: { cidrs },
      status: { conditions: [{ type: 'Ready', status }] },
    } as KubeObject,
  }) as StoredObject;

const ranges = (...objects: StoredObject[]) => new ServiceRanges([new IpRange('10.0.0.0/24')], { values: () => objects.values() });

describe('ServiceRanges', () => {
  it('adds what is ready to the configured range, which comes first and once', () => {
    const all = ranges(cidr('kubernetes', ['10.0.0.0/24'], 'True'), cidr('more', ['10.1.0.0/16', 'fd00::/112'], 'True'), cidr('new', ['10.2.0.0/16'], 'False'));
    expect(all.of('IPv4').map((range) => range.cidr)).toEqual(['10.0.0.0/24', '10.1.0.0/16']);
  });

  it('takes nothing from what is being deleted, nor from a range without an address', () => {
    const all = ranges(cidr('going', ['10.1.0.0/16'], 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' }), cidr('tiny', ['10.3.0.1/32'], 'True'));
    expect(all.of('IPv4').map((range) => range.cidr)).toEqual(['10.0.0.0/24']);
  });

  it('gives no family that the cluster does not have', () => {
    expect(ranges(cidr('six', ['fd00::/112'], 'True')).of('IPv6')).toEqual([]);
  });
});
