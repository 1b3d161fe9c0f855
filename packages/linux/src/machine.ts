import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, machine, release } from 'node:os';
import { bootId } from './process.js';

/** What a Node object says about its machine. */
export interface MachineFacts {
  /** Survives reboots; empty when the machine has none. */
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  /** PRETTY_NAME of /etc/os-release. */
  readonly osImage: string;
  /** Go's names: `amd64`, `arm64`… */
  readonly architecture: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};

const optional = (path: string) =>
  readFile(path, 'utf8')
    .then((text) => text.trim())
    .catch(() => '');

/** Pure: /proc/meminfo in bytes. */
export function parseMeminfo(text: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const match of text.matchAll(/^(\S+):\s+(\d+)( kB)?$/gm)) out.set(match[1] ?? '', Number(match[2]) * (match[3] ? 1024 : 1));
  return out;
}

export async function machineFacts(): Promise<MachineFacts> {
  const [machineId, dbusId, systemUuid, osRelease, meminfo] = await Promise.all([
    optional('/etc/machine-id'),
    optional('/var/lib/dbus/machine-id'),
    optional('/sys/class/dmi/id/product_uuid'),
    optional('/etc/os-release'),
    readFile('/proc/meminfo', 'utf8'),
  ]);
  const memory = parseMeminfo(meminfo);
  const id = machineId || dbusId;
  return {
    machineId: id,
    systemUuid: systemUuid || id,
    bootId: bootId(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: ARCHITECTURES[machine()] ?? machine(),
    cpuCount: Math.max(1, cpus().length || availableParallelism()),
    memoryBytes: memory.get('MemTotal') ?? 0,
    swapBytes: memory.get('SwapTotal') ?? 0,
  };
}

export interface MemoryUsage {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly freeBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

export async function memoryUsage(): Promise<MemoryUsage> {
  const memory = parseMeminfo(await readFile('/proc/meminfo', 'utf8'));
  const bytes = (key: string) => memory.get(key) ?? 0;
  return {
    totalBytes: bytes('MemTotal'),
    availableBytes: bytes('MemAvailable'),
    freeBytes: bytes('MemFree'),
    swapTotalBytes: bytes('SwapTotal'),
    swapFreeBytes: bytes('SwapFree'),
  };
}

/** How many tasks there are on the machine, and how many there can be; 0: unknown. */
export async function taskCount(): Promise<{ readonly current: number; readonly max: number }> {
  const [load, max] = await Promise.all([readFile('/proc/loadavg', 'utf8'), readFile('/proc/sys/kernel/pid_max', 'utf8').catch(() => '0')]);
  return { current: Number(load.split(' ')[3]?.split('/')[1] ?? 0), max: Number(max) };
}

export interface DiskUsage {
  readonly totalBytes: number;
  /** What an unprivileged user can still write. */
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** Of the file system that holds `path`. */
export async function diskUsage(path: string): Promise<DiskUsage> {
  const s = await statfs(path);
  return {
    totalBytes: s.blocks * s.bsize,
    availableBytes: s.bavail * s.bsize,
    usedBytes: (s.blocks - s.bfree) * s.bsize,
    totalInodes: s.files,
    freeInodes: s.ffree,
  };
}
