import type { CgroupLimits } from '@coxswain/linux';
import type { KubeletOptions } from '../options.js';
import { milliCpu, wholeUnits } from '../pod/quantity.js';
import { sharesOf } from '../pod/resources.js';

/** Limits of the groups above pods, and of the groups that reservations are for. */
export interface NodeCgroupLimits {
  readonly pods: CgroupLimits;
  readonly reserved: readonly { readonly path: string; readonly limits: CgroupLimits }[];
}

type Reservations = Pick<KubeletOptions, 'enforceNodeAllocatable' | 'systemReserved' | 'kubeReserved' | 'systemReservedCgroup' | 'kubeReservedCgroup'>;

/** What `enforceNodeAllocatable` makes of reservations: pods together stay below what is left, and what is reserved for others below what they reserved. Pure. */
export function nodeCgroupLimits(machine: { readonly cpuMilli: number; readonly memoryBytes: number }, options: Reservations): NodeCgroupLimits {
  const { enforceNodeAllocatable: levels, systemReserved, kubeReserved } = options;
  const left = (whole: number, of: (amounts: Readonly<Record<string, string>>) => number) => Math.max(0, whole - of(systemReserved) - of(kubeReserved));
  const group = (name: 'system-reserved' | 'kube-reserved', path: string | undefined, amounts: Readonly<Record<string, string>>) => {
    const compressible = levels.includes(`${name}-compressible`);
    if (path === undefined || (!compressible && !levels.includes(name))) return [];
    const pids = wholeUnits(amounts['pid']);
    const hard = { ...(amounts['memory'] ? { memoryBytes: wholeUnits(amounts['memory']) } : {}), ...(pids > 0 ? { pids } : {}) };
    return [{ path, limits: { ...(amounts['cpu'] ? { cpuShares: sharesOf(milliCpu(amounts['cpu'])) } : {}), ...(compressible ? {} : hard) } }];
  };
  return {
    pods: {
      cpuShares: sharesOf(left(machine.cpuMilli, (a) => milliCpu(a['cpu']))),
      ...(levels.includes('pods') ? { memoryBytes: left(machine.memoryBytes, (a) => wholeUnits(a['memory'])) } : {}),
    },
    reserved: [...group('system-reserved', options.systemReservedCgroup, systemReserved), ...group('kube-reserved', options.kubeReservedCgroup, kubeReserved)],
  };
}
