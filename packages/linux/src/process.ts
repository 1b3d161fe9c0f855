import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

/** What /proc/PID/stat says (proc(5)). */
export interface ProcessStat {
  readonly pid: number;
  readonly command: string;
  /** R, S, D, Z, T… */
  readonly state: string;
  readonly parentPid: number;
  /** Clock ticks since boot; with the pid it names one process for ever (until reboot). */
  readonly startTicks: number;
}

/** Pure. The command may hold spaces and brackets, so the last bracket counts. */
export function parseProcessStat(text: string): ProcessStat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const rest = text.slice(close + 2).split(' ');
  return {
    pid: Number(text.slice(0, open)),
    command: text.slice(open + 1, close),
    state: rest[0] ?? '?',
    parentPid: Number(rest[1]),
    startTicks: Number(rest[19]),
  };
}

/** Undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** A process by pid and start: a pid that was used again is another process. Store it, to recognise it after a restart. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

export function processIdentity(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  return stat && { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Running (zombies are not). */
export function isAlive(process: ProcessIdentity): boolean {
  const stat = processStat(process.pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X' && stat.startTicks === process.startTicks && process.bootId === bootId();
}

/** Sends a signal only if it is still that process; false when it is gone. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Processes of this machine by their arguments, the program first. */
export function findProcesses(wanted: (args: readonly string[]) => boolean): ProcessIdentity[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || !wanted(argumentsOf(entry))) return [];
    return processIdentity(Number(entry)) ?? [];
  });
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Waits until all have ended; those that have not after `graceMs` are killed. */
export async function untilEnded(processes: readonly ProcessIdentity[], graceMs: number, clock: WaitingClock): Promise<void> {
  const until = clock.monotonic() + graceMs;
  for (let left = processes.filter(isAlive); left.length > 0; left = left.filter(isAlive)) {
    if (clock.monotonic() > until) for (const process of left) signalProcess(process, 'SIGKILL');
    await clock.sleep(10);
  }
}

/** What of a clock waiting takes. */
export interface WaitingClock {
  /** Milliseconds. */
  monotonic(): number;
  sleep(ms: number): Promise<void>;
}

let boot: string | undefined;

/** Changes with every boot of the machine. */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

export async function readOomScoreAdj(pid: number | 'self' = 'self'): Promise<number> {
  return Number(await readFile(`/proc/${pid}/oom_score_adj`, 'utf8'));
}

const CAP_SYS_RESOURCE = 24n;

/** Whether this process holds an effective capability, by its number in linux/capability.h. */
export function hasCapability(number: bigint): boolean {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return match?.[1] !== undefined && ((BigInt(`0x${match[1]}`) >> number) & 1n) === 1n;
}

/**
 * The nearest `oom_score_adj` that may be set for a child: without CAP_SYS_RESOURCE it cannot go below our own.
 * runc dies on a refused one, so ask before writing it into a runtime spec.
 */
export async function clampOomScoreAdj(wanted: number): Promise<number> {
  if (hasCapability(CAP_SYS_RESOURCE)) return wanted;
  return Math.max(wanted, await readOomScoreAdj());
}

export async function writeOomScoreAdj(pid: number | 'self', value: number): Promise<void> {
  await writeFile(`/proc/${pid}/oom_score_adj`, String(value));
}

export interface Rlimit {
  /** `Infinity` is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

const RLIMIT_NAMES: Readonly<Record<string, string>> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
};

/** Pure: /proc/PID/limits by the OCI names (`RLIMIT_NOFILE`). */
export function parseLimits(text: string): Map<string, Rlimit> {
  const number = (word: string) => (word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word));
  const out = new Map<string, Rlimit>();
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const name = match?.[1] && RLIMIT_NAMES[match[1]];
    if (name) out.set(name, { soft: number(match[2] ?? ''), hard: number(match[3] ?? '') });
  }
  return out;
}

/** Our own limits. Without CAP_SYS_RESOURCE none can be raised above its hard value. */
export async function rlimits(pid: number | 'self' = 'self'): Promise<Map<string, Rlimit>> {
  return parseLimits(await readFile(`/proc/${pid}/limits`, 'utf8'));
}
