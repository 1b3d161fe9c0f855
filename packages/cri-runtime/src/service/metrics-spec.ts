import type { LinuxContainerResources } from '@coxswain/cri';
import type { DiskUsage } from '@coxswain/linux';
import type { Kind } from './metric-kind.js';
import type { LayerUsage } from './stats.js';

/** The file system a container writes to, and its part of it. */
export interface WritableFilesystem {
  readonly device: string;
  readonly disk: DiskUsage;
  readonly used: LayerUsage;
}

const limit = (value: bigint | undefined) => (value === undefined || value <= 0n ? [] : [{ value: Number(value) }]);

/** What a container was given. Absent where it was given none, as cAdvisor has it. */
export const SPEC_KINDS: readonly Kind<{ readonly resources: LinuxContainerResources | undefined }>[] = [
  {
    name: 'container_spec_cpu_period',
    help: 'CPU period of the container.',
    type: 'gauge',
    samples: ({ resources }) => (limit(resources?.cpuQuota).length > 0 ? limit(resources?.cpuPeriod || 100_000n) : []),
  },
  { name: 'container_spec_cpu_quota', help: 'CPU quota of the container.', type: 'gauge', samples: ({ resources }) => limit(resources?.cpuQuota) },
  { name: 'container_spec_cpu_shares', help: 'CPU share of the container.', type: 'gauge', samples: ({ resources }) => limit(resources?.cpuShares || 2n) },
  {
    name: 'container_spec_memory_reservation_limit_bytes',
    help: 'Memory reservation limit for the container.',
    type: 'gauge',
    samples: ({ resources }) => [{ value: Number(resources?.unified['memory.low'] ?? 0) || 0 }],
  },
  {
    name: 'container_spec_memory_swap_limit_bytes',
    help: 'Memory swap limit for the container.',
    type: 'gauge',
    samples: ({ resources }) => [{ value: Number(resources?.memorySwapLimitInBytes ?? 0n) }],
  },
];

const ofDevice = (value: (filesystem: WritableFilesystem) => number): Kind<{ readonly filesystem: WritableFilesystem | undefined }>['samples'] => {
  return ({ filesystem }) => (filesystem ? [{ labels: [filesystem.device], value: value(filesystem) }] : []);
};

export const FILESYSTEM_KINDS: readonly Kind<{ readonly filesystem: WritableFilesystem | undefined }>[] = [
  {
    name: 'container_fs_usage_bytes',
    help: 'Number of bytes that are consumed by the container on this filesystem.',
    type: 'gauge',
    labels: ['device'],
    samples: ofDevice(({ used }) => Number(used.size)),
  },
  {
    name: 'container_fs_limit_bytes',
    help: 'Number of bytes that can be consumed by the container on this filesystem.',
    type: 'gauge',
    labels: ['device'],
    samples: ofDevice(({ disk }) => disk.totalBytes),
  },
  {
    name: 'container_fs_inodes_free',
    help: 'Number of available Inodes',
    type: 'gauge',
    labels: ['device'],
    samples: ofDevice(({ disk }) => disk.freeInodes),
  },
  { name: 'container_fs_inodes_total', help: 'Number of Inodes', type: 'gauge', labels: ['device'], samples: ofDevice(({ disk }) => disk.totalInodes) },
];
