import type { Pressure } from './pressure.js';

/** What a group may use. An absent field is left as it is. */
export interface CgroupLimits {
  /** Relative weight in cgroup v1 terms, 2…262144 (1024 is one CPU's worth); converted for v2. */
  readonly cpuShares?: number;
  /** Microseconds of CPU time per period; -1 is no limit. */
  readonly cpuQuotaMicros?: number;
  readonly cpuPeriodMicros?: number;
  /** -1 is no limit. */
  readonly memoryBytes?: number;
  /** -1 is no limit. */
  readonly pids?: number;
  /** Huge pages by their size in the kernel's words (`2MB`, `1GB`), in bytes. */
  readonly hugepages?: readonly { readonly pageSize: string; readonly bytes: number }[];
}

export interface CgroupStats {
  readonly cpu: {
    readonly usageNanoseconds: number;
    readonly userNanoseconds: number;
    readonly systemNanoseconds: number;
    /** Of the CPU limit: all periods, those that ended before their time, and what was waited in them. */
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNanoseconds: number;
    readonly pressure?: Pressure;
  };
  readonly memory: {
    readonly usageBytes: number;
    /** Usage without page cache that can be dropped at once: what eviction and metrics look at. */
    readonly workingSetBytes: number;
    readonly rssBytes: number;
    readonly cacheBytes: number;
    readonly mappedFileBytes: number;
    /** Absent: no limit. */
    readonly limitBytes?: number;
    readonly pageFaults: number;
    readonly majorPageFaults: number;
    readonly oomKills: number;
    readonly pressure?: Pressure;
  };
  /** Absent: the kernel does not count it. */
  readonly swap?: { readonly usageBytes: number /** Absent: no limit. */; readonly limitBytes?: number };
  /** Absent: the kernel does not tell. */
  readonly io?: { readonly pressure: Pressure };
  readonly pids: { readonly current: number };
}

/** A file to write, and the controller whose folder it is in. */
export interface ControlFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** Reads a control file; undefined when the machine does not have it. */
export type ReadControl = (controller: string, file: string) => string | undefined;

/** `key value` lines. */
export function parseFlat(text: string | undefined): Map<string, number> {
  return new Map(
    (text ?? '').split('\n').flatMap((line) => {
      const [key, value] = line.split(' ');
      return key && value !== undefined ? [[key, Number(value)] as const] : [];
    }),
  );
}

/** Weights of v1 (2…262144) on v2's scale (1…10000): runc's and the kubelet's linear rule. */
export function sharesToWeight(shares: number): number {
  const clamped = Math.min(Math.max(shares, 2), 262144);
  return Math.floor(1 + ((clamped - 2) * 9999) / 262142);
}
