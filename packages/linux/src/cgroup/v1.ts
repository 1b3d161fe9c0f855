import { type CgroupLimits, type CgroupStats, type ControlFile, parseFlat, type ReadControl } from './limits.js';

/** v1 writes "no limit" as a number near 2^63. */
const UNLIMITED = 2 ** 62;

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
  const [usage, throttling, memory, stat, limit, oom, pids] = [
    read('cpuacct', 'cpuacct.usage'),
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.oom_control'),
    read('pids', 'pids.current'),
  ];
  const details = parseFlat(stat);
  const usageBytes = Number(memory ?? 0);
  const limitBytes = Number(limit ?? UNLIMITED);
  return {
    cpu: { usageNanoseconds: Number(usage ?? 0), throttledPeriods: parseFlat(throttling).get('nr_throttled') ?? 0 },
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - (details.get('total_inactive_file') ?? 0)),
      rssBytes: details.get('total_rss') ?? 0,
      pageFaults: details.get('total_pgfault') ?? 0,
      majorPageFaults: details.get('total_pgmajfault') ?? 0,
      oomKills: parseFlat(oom).get('oom_kill') ?? 0,
      ...(limitBytes < UNLIMITED ? { limitBytes } : {}),
    },
    pids: { current: Number(pids ?? 0) },
  };
}
