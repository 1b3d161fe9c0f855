import { type CgroupLimits, type CgroupStats, type ControlFile, parseFlat, type ReadControl } from './limits.js';

/** v1 writes "no limit" as a number near 2^63. */
const UNLIMITED = 2 ** 62;

/** cpuacct.stat counts in ticks: USER_HZ, which is 100 on every platform of ours. */
const TICK_NANOSECONDS = 1e7;

export function v1Files(limits: CgroupLimits): ControlFile[] {
  const out: ControlFile[] = [];
  const add = (controller: string, file: string, value: number | undefined) => {
    if (value !== undefined) out.push({ controller, file, value: String(value) });
  };
  add('cpu', 'cpu.shares', limits.cpuShares);
  // The period first: the kernel checks the quota against it.
  add('cpu', 'cpu.cfs_period_us', limits.cpuPeriodMicros);
  add('cpu', 'cpu.cfs_quota_us', limits.cpuQuotaMicros);
  add('memory', 'memory.limit_in_bytes', limits.memoryBytes);
  if (limits.pids !== undefined) out.push({ controller: 'pids', file: 'pids.max', value: limits.pids < 0 ? 'max' : String(limits.pids) });
  for (const { pageSize, bytes } of limits.hugepages ?? []) add('hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, bytes);
  return out;
}

export function v1Stats(read: ReadControl): CgroupStats {
  const [usage, times, throttling, memory, stat, limit, both, oom, pids] = [
    read('cpuacct', 'cpuacct.usage'),
    read('cpuacct', 'cpuacct.stat'),
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.memsw.limit_in_bytes'),
    read('memory', 'memory.oom_control'),
    read('pids', 'pids.current'),
  ];
  const details = parseFlat(stat);
  const usageBytes = Number(memory ?? 0);
  const limitBytes = Number(limit ?? UNLIMITED);
  const ticks = parseFlat(times);
  const quota = parseFlat(throttling);
  const swapBytes = details.get('total_swap');
  const bothBytes = Number(both ?? UNLIMITED);
  return {
    cpu: {
      usageNanoseconds: Number(usage ?? 0),
      userNanoseconds: (ticks.get('user') ?? 0) * TICK_NANOSECONDS,
      systemNanoseconds: (ticks.get('system') ?? 0) * TICK_NANOSECONDS,
      periods: quota.get('nr_periods') ?? 0,
      throttledPeriods: quota.get('nr_throttled') ?? 0,
      throttledNanoseconds: quota.get('throttled_time') ?? 0,
    },
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - (details.get('total_inactive_file') ?? 0)),
      rssBytes: details.get('total_rss') ?? 0,
      cacheBytes: details.get('total_cache') ?? 0,
      mappedFileBytes: details.get('total_mapped_file') ?? 0,
      pageFaults: details.get('total_pgfault') ?? 0,
      majorPageFaults: details.get('total_pgmajfault') ?? 0,
      oomKills: parseFlat(oom).get('oom_kill') ?? 0,
      ...(limitBytes < UNLIMITED ? { limitBytes } : {}),
    },
    // The limit is of memory and swap together; both are 2^63 where there is none.
    ...(swapBytes === undefined
      ? {}
      : { swap: { usageBytes: swapBytes, ...(bothBytes < UNLIMITED && limitBytes < UNLIMITED ? { limitBytes: Math.max(0, bothBytes - limitBytes) } : {}) } }),
    pids: { current: Number(pids ?? 0) },
  };
}
