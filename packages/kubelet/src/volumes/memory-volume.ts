import type { EmptyDirVolumeSource, Pod } from '@coxswain/api';
import { podCgroupLimits } from '../pod/resources.js';
import { quantityValue } from '../pod/quantity.js';

/** Bytes a volume in memory may hold: no more than it asks for, than its pod may use, than pods get of the node; undefined: nothing limits it. */
export function memoryVolumeSize(pod: Pod, source: EmptyDirVolumeSource, allocatableMemory: string | undefined): number | undefined {
  const { memoryBytes } = podCgroupLimits(pod, { cpuCfsQuota: false, cpuCfsPeriodMicros: 100_000, memoryCapacity: 0 });
  const bounds = [quantityValue(allocatableMemory), memoryBytes, quantityValue(source.sizeLimit)].filter((bytes) => bytes > 0);
  return bounds.length > 0 ? Math.ceil(Math.min(...bounds)) : undefined;
}
