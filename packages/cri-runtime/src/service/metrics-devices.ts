import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CgroupDetails, DiskIo } from '@coxswain/linux';
import type { Kind } from './metric-kind.js';
import type { WritableFilesystem } from './metrics-spec.js';
import type { ProcessFacts } from './process-facts.js';

/** A disk under its name, `/dev/vda`. */
export interface NamedDisk extends DiskIo {
  readonly name: string;
}

interface Source {
  readonly details: CgroupDetails;
  readonly disks: readonly NamedDisk[];
  readonly facts: ProcessFacts;
  readonly filesystem: WritableFilesystem | undefined;
}

export async function namedDisks(disks: readonly DiskIo[]): Promise<NamedDisk[]> {
  return Promise.all(
    disks.map(async (disk) => {
      const folder = await realpath(`/sys/dev/block/${disk.device}`).catch(() => undefined);
      return { ...disk, name: folder === undefined ? '' : `/dev/${basename(folder)}` };
    }),
  );
}

const one = (value: number | undefined) => (value === undefined ? [] : [{ value }]);

const ofDisks = (name: string, help: string, value: (disk: NamedDisk) => number): Kind<Source> => ({
  name,
  help,
  type: 'counter',
  labels: ['device'],
  samples: ({ disks }) => disks.map((disk) => ({ labels: [disk.name], value: value(disk) })),
});

/** What the kernel counts of a whole disk only: of a container it is none, as cAdvisor has it. */
const UNCOUNTED: readonly (readonly [string, string, 'counter' | 'gauge'])[] = [
  ['container_fs_io_current', 'Number of I/Os currently in progress', 'gauge'],
  ['container_fs_io_time_seconds_total', 'Cumulative count of seconds spent doing I/Os', 'counter'],
  ['container_fs_io_time_weighted_seconds_total', 'Cumulative weighted I/O time in seconds', 'counter'],
  ['container_fs_read_seconds_total', 'Cumulative count of seconds spent reading', 'counter'],
  ['container_fs_reads_merged_total', 'Cumulative count of reads merged', 'counter'],
  ['container_fs_sector_reads_total', 'Cumulative count of sector reads completed', 'counter'],
  ['container_fs_sector_writes_total', 'Cumulative count of sector writes completed', 'counter'],
  ['container_fs_write_seconds_total', 'Cumulative count of seconds spent writing', 'counter'],
  ['container_fs_writes_merged_total', 'Cumulative count of writes merged', 'counter'],
];

/** As cAdvisor has it, whose reader of loads is off. */
const LOAD: Kind<Source> = {
  name: 'container_cpu_load_average_10s',
  help: 'Value of container cpu load average over the last 10 seconds.',
  type: 'gauge',
  samples: () => one(0),
};

/** Disks, processes and their limits, under cAdvisor's names. */
export const DEVICE_KINDS: readonly Kind<Source>[] = [
  LOAD,
  {
    name: 'container_blkio_device_usage_total',
    help: 'Blkio Device bytes usage',
    type: 'counter',
    labels: ['device', 'major', 'minor', 'operation'],
    samples: ({ disks }) =>
      disks.flatMap(({ name, device, readBytes, writtenBytes }) => {
        const [major = '', minor = ''] = device.split(':');
        return [
          { labels: [name, major, minor, 'Read'], value: readBytes },
          { labels: [name, major, minor, 'Write'], value: writtenBytes },
        ];
      }),
  },
  ofDisks('container_fs_reads_bytes_total', 'Cumulative count of bytes read', (disk) => disk.readBytes),
  ofDisks('container_fs_reads_total', 'Cumulative count of reads completed', (disk) => disk.reads),
  ofDisks('container_fs_writes_bytes_total', 'Cumulative count of bytes written', (disk) => disk.writtenBytes),
  ofDisks('container_fs_writes_total', 'Cumulative count of writes completed', (disk) => disk.writes),
  ...UNCOUNTED.map(
    ([name, help, type]): Kind<Source> => ({
      name,
      help,
      type,
      labels: ['device'],
      samples: ({ filesystem }) => (filesystem ? [{ labels: [filesystem.device], value: 0 }] : []),
    }),
  ),
  {
    name: 'container_file_descriptors',
    help: 'Number of open file descriptors for the container.',
    type: 'gauge',
    samples: ({ facts }) => one(facts.descriptors),
  },
  { name: 'container_sockets', help: 'Number of open sockets for the container.', type: 'gauge', samples: ({ facts }) => one(facts.sockets) },
  { name: 'container_processes', help: 'Number of processes running inside the container.', type: 'gauge', samples: ({ facts }) => one(facts.count) },
  {
    name: 'container_tasks_state',
    help: 'Number of tasks in given state',
    type: 'gauge',
    labels: ['state'],
    samples: ({ facts }) => Object.entries(facts.states).map(([state, value]) => ({ labels: [state], value })),
  },
  {
    name: 'container_threads_max',
    help: 'Maximum number of threads allowed inside the container, infinity if value is zero',
    type: 'gauge',
    samples: ({ details }) => one(details.pidsLimit ?? 0),
  },
  {
    name: 'container_ulimits_soft',
    help: 'Soft ulimit values for the container root process. Unlimited if -1, except priority and nice',
    type: 'gauge',
    labels: ['ulimit'],
    samples: ({ facts }) => (facts.openFiles === undefined ? [] : [{ labels: ['max_open_files'], value: facts.openFiles }]),
  },
  { name: 'container_memory_failcnt', help: 'Number of memory usage hits limits', type: 'counter', samples: ({ details }) => one(details.memoryFailures) },
  {
    name: 'container_memory_max_usage_bytes',
    help: 'Maximum memory usage recorded in bytes',
    type: 'gauge',
    samples: ({ details }) => one(details.memoryPeakBytes),
  },
];
