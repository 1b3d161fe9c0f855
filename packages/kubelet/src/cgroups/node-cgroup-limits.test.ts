import { describe, expect, it } from 'vitest';
import { kubeletOptions } from '../options.js';
import { nodeCgroupLimits } from './node-cgroup-limits.js';

const Gi = 1024 ** 3;
const machine = { cpuMilli: 4000, memoryBytes: 8 * Gi };
const reservations = { systemReserved: { cpu: '500m', memory: '1Gi' }, kubeReserved: { cpu: '500m', memory: '1Gi', pid: '1000' } };

describe('enforceNodeAllocatable', () => {
  it('pods: pods together stay below what is left', () => {
    expect(nodeCgroupLimits(machine, kubeletOptions(reservations))).toEqual({ pods: { cpuShares: 3072, memoryBytes: 6 * Gi }, reserved: [] });
  });

  it('none: only weights', () => {
    expect(nodeCgroupLimits(machine, kubeletOptions({ ...reservations, enforceNodeAllocatable: ['none'] })).pods).toEqual({ cpuShares: 3072 });
  });

  it('of daemons: their own cgroups are limited, or only weighed', () => {
    const options = kubeletOptions({
      ...reservations,
      enforceNodeAllocatable: ['pods', 'system-reserved-compressible', 'kube-reserved'],
      systemReservedCgroup: '/system.slice',
      kubeReservedCgroup: '/kube.slice',
    });
    expect(nodeCgroupLimits(machine, options).reserved).toEqual([
      { path: '/system.slice', limits: { cpuShares: 512 } },
      { path: '/kube.slice', limits: { cpuShares: 512, memoryBytes: Gi, pids: 1000 } },
    ]);
  });
});
