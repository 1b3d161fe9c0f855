import { readFile } from 'node:fs/promises';
import type { FilesystemUsage, ImageServiceClient } from '@coxswain/cri';
import { diskUsage, type MemoryUsage, type NetworkInterface, parseNetDev, taskCount } from '@coxswain/linux';
import type { NetworkStats } from './pod-extras.js';
import type { SwapStats } from './shortage.js';
import type { FsStats } from './summary.js';

/** What is said of the node beside CPU, memory and its disk. */
export interface NodeExtras {
  readonly network?: NetworkStats;
  readonly runtime?: { readonly imageFs?: FsStats; readonly containerFs?: FsStats };
  readonly rlimit?: { readonly time: string; readonly maxpid: number; readonly curproc: number };
  readonly swap?: SwapStats;
}

/** Parts that cannot be learned are left out. */
export async function nodeExtras(image: Pick<ImageServiceClient, 'imageFsInfo'>, time: string): Promise<NodeExtras> {
  const [stores, tasks, interfaces] = await Promise.all([
    image.imageFsInfo({}, { timeoutMs: 10_000 }).catch(() => undefined),
    taskCount().catch(() => undefined),
    readFile('/proc/self/net/dev', 'utf8').then(parseNetDev, () => []),
  ]);
  const [imageFs, containerFs] = await Promise.all([storeStats(stores?.imageFilesystems[0], time), storeStats(stores?.containerFilesystems[0], time)]);
  const network = nodeNetwork(interfaces, time);
  return {
    ...(network ? { network } : {}),
    ...(imageFs || containerFs ? { runtime: { ...(imageFs ? { imageFs } : {}), ...(containerFs ? { containerFs } : {}) } } : {}),
    ...(tasks?.max ? { rlimit: { time, maxpid: tasks.max, curproc: tasks.current } } : {}),
  };
}

/** Pure. */
export function nodeSwap({ swapTotalBytes, swapFreeBytes }: MemoryUsage, time: string): SwapStats {
  return { time, swapAvailableBytes: swapFreeBytes, swapUsageBytes: swapTotalBytes - swapFreeBytes };
}

/** What the runtime's store takes, of a file system that is so full. */
async function storeStats(store: FilesystemUsage | undefined, time: string): Promise<FsStats | undefined> {
  const mountpoint = store?.fsId?.mountpoint;
  const disk = mountpoint ? await diskUsage(mountpoint).catch(() => undefined) : undefined;
  if (!disk) return undefined;
  const { usedBytes, inodesUsed } = store ?? {};
  return {
    time,
    availableBytes: disk.availableBytes,
    capacityBytes: disk.totalBytes,
    ...(usedBytes ? { usedBytes: Number(usedBytes.value) } : {}),
    inodesFree: disk.freeInodes,
    inodes: disk.totalInodes,
    ...(inodesUsed ? { inodesUsed: Number(inodesUsed.value) } : {}),
  };
}

/** Ends of links into containers, as cAdvisor leaves them out. */
const OF_CONTAINERS = /^(lo|veth|docker|nerdctl)/;

/** Named is `eth0`, or else the first. Pure. */
export function nodeNetwork(interfaces: readonly NetworkInterface[], time: string): NetworkStats | undefined {
  const own = interfaces.filter(({ name }) => !OF_CONTAINERS.test(name));
  const all = own.map(({ name, received, sent }) => ({
    name,
    rxBytes: received.bytes,
    rxErrors: received.errors,
    txBytes: sent.bytes,
    txErrors: sent.errors,
  }));
  const main = all.find(({ name }) => name === 'eth0') ?? all[0];
  return main && { time, ...main, interfaces: all };
}
