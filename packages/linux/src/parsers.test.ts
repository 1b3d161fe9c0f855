import { describe, expect, it } from 'vitest';
import { cgroupLayout } from './cgroup/detect.js';
import { sharesToWeight } from './cgroup/limits.js';
import { v1Files, v1Stats } from './cgroup/v1.js';
import { v2Files, v2Stats } from './cgroup/v2.js';
import { bytesToIp, ipToBytes, parseCidr } from './ip.js';
import { parseMountInfo } from './mountinfo.js';
import { sysctlNamespace, sysctlPath } from './sysctl.js';
import { decodeAttributes, encodeAttributes, encodeMessage, readText, text, u32 } from './netlink/codec.js';
import { parseLimits, parseProcessStat } from './process.js';

describe('parsers', () => {
  it('mountinfo, with escapes and optional fields', () => {
    const [root, odd] = parseMountInfo(
      '27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\nnonsense\n31 27 0:28 /a\\040b /mnt/with\\040space ro - tmpfs none rw,size=4k\n',
    );
    expect(root).toMatchObject({ id: 27, mountPoint: '/', type: 'ext4', propagation: ['shared:1', 'master:2'] });
    expect(odd).toMatchObject({ mountPoint: '/mnt/with space', root: '/a b', superOptions: ['rw', 'size=4k'] });
  });

  it('a process whose name looks like fields', () => {
    const fields = ['S', '1', ...Array.from({ length: 17 }, () => '0'), '4711', '0'];
    expect(parseProcessStat(`42 (a) b (c) ${fields.join(' ')}`)).toEqual({ pid: 42, command: 'a) b (c', state: 'S', parentPid: 1, startTicks: 4711 });
  });

  it('limits', () => {
    const limits = parseLimits(
      'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 20000                files     \nMax cpu time              unlimited            unlimited            seconds   \n',
    );
    expect(limits.get('RLIMIT_NOFILE')).toEqual({ soft: 1024, hard: 20000 });
    expect(limits.get('RLIMIT_CPU')?.hard).toBe(Number.POSITIVE_INFINITY);
  });

  it('addresses', () => {
    for (const ip of ['10.0.0.1', 'fd00::1', '::', '2001:db8:0:1::5']) expect(bytesToIp(ipToBytes(ip))).toBe(ip);
    expect(bytesToIp(ipToBytes('::ffff:1.2.3.4'))).toBe('::ffff:102:304');
    expect(parseCidr('10.0.0.1')).toEqual({ address: '10.0.0.1', prefix: 32 });
    expect(() => parseCidr('10.0.0.1/40')).toThrow(TypeError);
    expect(() => ipToBytes('localhost')).toThrow(TypeError);
  });

  it('sysctls and their namespaces', () => {
    expect(sysctlNamespace('net.ipv4.ip_forward')).toBe('net');
    expect(sysctlNamespace('kernel.shmmax')).toBe('ipc');
    expect(sysctlNamespace('vm.swappiness')).toBeUndefined();
    expect(sysctlPath('net/ipv4/conf/eth0.1/forwarding')).toBe('/proc/sys/net/ipv4/conf/eth0.1/forwarding');
    expect(() => sysctlPath('net/../../etc/passwd')).toThrow(TypeError);
  });
});

describe('netlink codec', () => {
  it('attributes are padded, nest, and come back', () => {
    const bytes = encodeAttributes([
      [3, text('eth0')],
      [18, [[1, text('veth')]]],
      [4, u32(1500)],
    ]);
    expect(bytes.length % 4).toBe(0);
    const back = decodeAttributes(bytes);
    expect(readText(back.get(3) ?? new Uint8Array())).toBe('eth0');
    expect(readText(decodeAttributes(back.get(18) ?? new Uint8Array()).get(1) ?? new Uint8Array())).toBe('veth');
    expect(back.get(4)?.readUInt32LE(0)).toBe(1500);
  });
  it('every message has its own sequence number', () => {
    const a = encodeMessage(16, 4, new Uint8Array(16));
    const b = encodeMessage(16, 4, new Uint8Array(16));
    expect(b.readUInt32LE(8)).toBe(a.readUInt32LE(8) + 1);
    expect(a.readUInt32LE(0)).toBe(a.length);
  });
});

describe('cgroups', () => {
  const mount = (type: string, mountPoint: string, superOptions: string[]) => ({
    id: 1,
    parentId: 0,
    device: '0:1',
    root: '/',
    mountPoint,
    options: [],
    propagation: [],
    type,
    source: type,
    superOptions,
  });

  it('v1, hybrid and v2 layouts', () => {
    const hybrid = cgroupLayout([
      mount('cgroup', '/c/cpu,cpuacct', ['rw', 'cpu', 'cpuacct']),
      mount('cgroup', '/c/memory', ['rw', 'memory']),
      mount('cgroup2', '/c/unified', ['rw']),
    ]);
    expect(hybrid).toMatchObject({ version: 1, unified: '/c/unified' });
    expect(hybrid?.version === 1 && hybrid.controllers.get('cpuacct')).toBe('/c/cpu,cpuacct');
    expect(cgroupLayout([mount('cgroup2', '/sys/fs/cgroup', ['rw'])])).toEqual({ version: 2, root: '/sys/fs/cgroup' });
    expect(cgroupLayout([])).toBeUndefined();
  });

  it('limits become files', () => {
    const limits = { cpuShares: 1024, cpuQuotaMicros: 50_000, cpuPeriodMicros: 100_000, memoryBytes: 1 << 20, pids: -1 };
    expect(v1Files(limits).map((f) => `${f.file}=${f.value}`)).toEqual([
      'cpu.shares=1024',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=50000',
      'memory.limit_in_bytes=1048576',
      'pids.max=max',
    ]);
    expect(v2Files(limits).map((f) => `${f.file}=${f.value}`)).toEqual(['cpu.weight=39', 'cpu.max=50000 100000', 'memory.max=1048576', 'pids.max=max']);
    expect(v2Files({ cpuQuotaMicros: -1 })[0]?.value).toBe('max 100000');
    const hugepages = [{ pageSize: '2MB', bytes: 4 << 20 }];
    expect(v1Files({ hugepages })).toEqual([{ controller: 'hugetlb', file: 'hugetlb.2MB.limit_in_bytes', value: '4194304' }]);
    expect(v2Files({ hugepages })).toEqual([{ controller: 'hugetlb', file: 'hugetlb.2MB.max', value: '4194304' }]);
    expect([2, 262144].map(sharesToWeight)).toEqual([1, 10000]);
  });

  it('statistics: working set is usage without inactive file pages', () => {
    const reader = (files: Record<string, string>) => (_c: string, file: string) => files[file];
    const v1 = v1Stats(
      reader({
        'cpuacct.usage': '5000\n',
        'cpuacct.stat': 'user 3\nsystem 2\n',
        'cpu.stat': 'nr_periods 9\nnr_throttled 4\nthrottled_time 77\n',
        'memory.usage_in_bytes': '1000\n',
        'memory.stat': 'total_inactive_file 300\ntotal_rss 600\ntotal_cache 350\ntotal_mapped_file 20\ntotal_swap 40\n',
        'memory.limit_in_bytes': '9223372036854771712\n',
        'memory.memsw.limit_in_bytes': '9223372036854771712\n',
      }),
    );
    expect(v1).toMatchObject({
      cpu: { usageNanoseconds: 5000, userNanoseconds: 3e7, systemNanoseconds: 2e7, periods: 9, throttledPeriods: 4, throttledNanoseconds: 77 },
      memory: { workingSetBytes: 700, rssBytes: 600, cacheBytes: 350, mappedFileBytes: 20 },
    });
    expect([v1.swap, v1.io]).toEqual([{ usageBytes: 40 }, undefined]);
    expect(v1.memory.limitBytes).toBeUndefined();
    const v2 = v2Stats(
      reader({
        'cpu.stat': 'usage_usec 7\nuser_usec 4\nsystem_usec 3\n',
        'cpu.pressure': 'some avg10=1.50 avg60=0.20 avg300=0.00 total=1234\n',
        'io.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.10 total=3\n',
        'memory.swap.current': '30\n',
        'memory.swap.max': '100\n',
        'memory.current': '1000\n',
        'memory.stat': 'inactive_file 1200\nanon 5\n',
        'memory.max': '4096\n',
        'memory.events': 'oom_kill 2\n',
      }),
    );
    const none = { total: 0, avg10: 0, avg60: 0, avg300: 0 };
    expect(v2).toMatchObject({
      cpu: {
        usageNanoseconds: 7000,
        userNanoseconds: 4000,
        systemNanoseconds: 3000,
        pressure: { some: { avg10: 1.5, avg60: 0.2, avg300: 0, total: 1234 }, full: none },
      },
      memory: { workingSetBytes: 0, limitBytes: 4096, oomKills: 2 },
      swap: { usageBytes: 30, limitBytes: 100 },
      io: { pressure: { some: { ...none, total: 5 }, full: { ...none, avg300: 0.1, total: 3 } } },
    });
    expect(v2.memory.pressure).toBeUndefined();
  });
});
