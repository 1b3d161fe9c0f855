import { parseFlat, type ReadControl } from './limits.js';

/** What a group has read and written on one disk. */
export interface DiskIo {
  /** `major:minor`. */
  readonly device: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** What is looked at less often than `CgroupStats`. */
export interface CgroupDetails {
  /** Most memory that was in use; absent: the kernel does not tell. */
  readonly memoryPeakBytes?: number;
  /** How often memory was asked for beyond the limit. */
  readonly memoryFailures: number;
  /** Absent: no limit. */
  readonly pidsLimit?: number;
  readonly disks: readonly DiskIo[];
}

export function v1Details(read: ReadControl): CgroupDetails {
  const peak = read('memory', 'memory.max_usage_in_bytes');
  const disks = new Map<string, Record<'readBytes' | 'writtenBytes' | 'reads' | 'writes', number>>();
  const collect = (text: string | undefined, onRead: 'readBytes' | 'reads', onWrite: 'writtenBytes' | 'writes') => {
    for (const line of (text ?? '').split('\n')) {
      const [device = '', operation, value] = line.split(' ');
      if (value === undefined || (operation !== 'Read' && operation !== 'Write')) continue;
      const disk = disks.get(device) ?? { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 };
      disk[operation === 'Read' ? onRead : onWrite] += Number(value);
      disks.set(device, disk);
    }
  };
  collect(read('blkio', 'blkio.throttle.io_service_bytes_recursive'), 'readBytes', 'writtenBytes');
  collect(read('blkio', 'blkio.throttle.io_serviced_recursive'), 'reads', 'writes');
  return {
    ...(peak === undefined ? {} : { memoryPeakBytes: Number(peak) }),
    memoryFailures: Number(read('memory', 'memory.failcnt') ?? 0),
    ...limitOf(read('pids', 'pids.max')),
    disks: [...disks].map(([device, counts]) => ({ device, ...counts })),
  };
}

export function v2Details(read: ReadControl): CgroupDetails {
  const peak = read('memory', 'memory.peak');
  return {
    ...(peak === undefined ? {} : { memoryPeakBytes: Number(peak) }),
    memoryFailures: parseFlat(read('memory', 'memory.events')).get('max') ?? 0,
    ...limitOf(read('pids', 'pids.max')),
    disks: (read('io', 'io.stat') ?? '').split('\n').flatMap((line): DiskIo[] => {
      const [device, ...fields] = line.trim().split(' ');
      if (!device || fields.length === 0) return [];
      const values = new Map(fields.map((field) => field.split('=') as [string, string]));
      const of = (key: string) => Number(values.get(key) ?? 0);
      return [{ device, readBytes: of('rbytes'), writtenBytes: of('wbytes'), reads: of('rios'), writes: of('wios') }];
    }),
  };
}

const limitOf = (text: string | undefined) => (text === undefined || text.trim() === 'max' ? {} : { pidsLimit: Number(text) });
