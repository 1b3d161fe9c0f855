import { parsePressure } from './pressure.js';
import { type CgroupLimits, type CgroupStats, type ControlFile, parseFlat, type ReadControl, sharesToWeight } from './limits.js';

const orMax = (value: number) => (value < 0 ? 'max' : String(value));

export function v2Files(limits: CgroupLimits): ControlFile[] {
  const out: ControlFile[] = [];
  if (limits.cpuShares !== undefined) out.push({ controller: 'cpu', file: 'cpu.weight', value: String(sharesToWeight(limits.cpuShares)) });
  if (limits.cpuQuotaMicros !== undefined || limits.cpuPeriodMicros !== undefined) {
    out.push({ controller: 'cpu', file: 'cpu.max', value: `${orMax(limits.cpuQuotaMicros ?? -1)} ${limits.cpuPeriodMicros ?? 100_000}` });
  }
  if (limits.memoryBytes !== undefined) out.push({ controller: 'memory', file: 'memory.max', value: orMax(limits.memoryBytes) });
  if (limits.pids !== undefined) out.push({ controller: 'pids', file: 'pids.max', value: orMax(limits.pids) });
  for (const { pageSize, bytes } of limits.hugepages ?? []) out.push({ controller: 'hugetlb', file: `hugetlb.${pageSize}.max`, value: orMax(bytes) });
  return out;
}

export function v2Stats(read: ReadControl): CgroupStats {
  const [cpu, memory, stat, limit, events, swap, swapLimit, pids] = [
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.current'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.max'),
    read('memory', 'memory.events'),
    read('memory', 'memory.swap.current'),
    read('memory', 'memory.swap.max'),
    read('pids', 'pids.current'),
  ];
  const time = parseFlat(cpu);
  const details = parseFlat(stat);
  const usageBytes = Number(memory ?? 0);
  const nanoseconds = (key: string) => (time.get(key) ?? 0) * 1000;
  const pressureOf = (what: 'cpu' | 'memory' | 'io') => {
    const pressure = parsePressure(read(what, `${what}.pressure`));
    return pressure ? { pressure } : undefined;
  };
  const io = pressureOf('io');
  return {
    cpu: {
      usageNanoseconds: nanoseconds('usage_usec'),
      userNanoseconds: nanoseconds('user_usec'),
      systemNanoseconds: nanoseconds('system_usec'),
      periods: time.get('nr_periods') ?? 0,
      throttledPeriods: time.get('nr_throttled') ?? 0,
      throttledNanoseconds: nanoseconds('throttled_usec'),
      ...pressureOf('cpu'),
    },
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - (details.get('inactive_file') ?? 0)),
      rssBytes: details.get('anon') ?? 0,
      cacheBytes: details.get('file') ?? 0,
      mappedFileBytes: details.get('file_mapped') ?? 0,
      pageFaults: details.get('pgfault') ?? 0,
      majorPageFaults: details.get('pgmajfault') ?? 0,
      oomKills: parseFlat(events).get('oom_kill') ?? 0,
      ...(limit !== undefined && limit.trim() !== 'max' ? { limitBytes: Number(limit) } : {}),
      ...pressureOf('memory'),
    },
    ...(swap === undefined
      ? {}
      : { swap: { usageBytes: Number(swap), ...(swapLimit !== undefined && swapLimit.trim() !== 'max' ? { limitBytes: Number(swapLimit) } : {}) } }),
    ...(io ? { io } : {}),
    pids: { current: Number(pids ?? 0) },
  };
}
