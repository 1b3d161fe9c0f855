import { expect, it } from 'vitest';
import { v1Details, v2Details } from './details.js';

const reader = (files: Record<string, string>) => (_controller: string, file: string) => files[file];

it('what went to disks, most memory and the limit of processes, with cgroup v1', () => {
  const files = {
    'memory.max_usage_in_bytes': '900\n',
    'memory.failcnt': '3\n',
    'pids.max': '77\n',
    'blkio.throttle.io_service_bytes_recursive': '254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 1\nTotal 12288\n',
    'blkio.throttle.io_serviced_recursive': '254:0 Read 1\n254:0 Write 2\nTotal 3\n',
  };
  expect(v1Details(reader(files))).toEqual({
    memoryPeakBytes: 900,
    memoryFailures: 3,
    pidsLimit: 77,
    disks: [{ device: '254:0', readBytes: 4096, writtenBytes: 8192, reads: 1, writes: 2 }],
  });
  expect(v1Details(reader({}))).toEqual({ memoryFailures: 0, disks: [] });
});

it('and with cgroup v2', () => {
  const files = { 'memory.events': 'low 0\nmax 4\n', 'pids.max': 'max\n', 'io.stat': '254:0 rbytes=5 wbytes=6 rios=7 wios=8 dbytes=0 dios=0\n254:16 \n' };
  expect(v2Details(reader(files))).toEqual({
    memoryFailures: 4,
    disks: [{ device: '254:0', readBytes: 5, writtenBytes: 6, reads: 7, writes: 8 }],
  });
});
