import type { Pod } from '@coxswain/api';
import { claimOfVolume } from '@coxswain/apimachinery';
import type { NetworkInterfaceUsage, RuntimeServiceClient } from '@coxswain/cri';
import { diskUsage } from '@coxswain/linux';
import { Keys } from '../pod/keys.js';
import type { FsStats } from './summary.js';

export interface InterfaceStats {
  readonly name: string;
  readonly rxBytes?: number;
  readonly rxErrors?: number;
  readonly txBytes?: number;
  readonly txErrors?: number;
}

/** The default interface's numbers, and all interfaces'. */
export interface NetworkStats extends InterfaceStats {
  readonly time: string;
  readonly interfaces: readonly InterfaceStats[];
}

export interface VolumeStats extends FsStats {
  readonly name: string;
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
}

export type ClaimStats = VolumeStats & Required<Pick<VolumeStats, 'pvcRef'>>;

/** What went over the network by pod uid; empty with a runtime that does not say. */
export async function podNetworks(runtime: Pick<RuntimeServiceClient, 'listPodSandboxStats'>): Promise<ReadonlyMap<string, NetworkStats>> {
  const { stats } = await runtime.listPodSandboxStats({}, { timeoutMs: 10_000 }).catch(() => ({ stats: [] }));
  const found = new Map<string, NetworkStats>();
  for (const { attributes, linux } of stats) {
    const uid = attributes?.labels[Keys.podUid];
    const network = linux?.network;
    if (!uid || !network) continue;
    const interfaces = network.interfaces.map(interfaceStats);
    const main = network.defaultInterface ? interfaceStats(network.defaultInterface) : interfaces[0];
    if (main) found.set(uid, { time: new Date(Number(network.timestamp / 1_000_000n)).toISOString(), ...main, interfaces });
  }
  return found;
}

/** How full the volumes of claims are; `volumes`: where a pod's are mounted. */
export async function claimStats(
  pod: Pod,
  volumes: readonly { readonly name: string; readonly path: string }[],
  time: string,
  usage: typeof diskUsage = diskUsage,
): Promise<ClaimStats[]> {
  const { namespace = 'default' } = pod.metadata ?? {};
  const all = await Promise.all(
    (pod.spec?.volumes ?? []).map(async (volume): Promise<ClaimStats[]> => {
      const { name } = volume;
      const claim = claimOfVolume(pod, volume);
      const path = volumes.find((mounted) => mounted.name === name)?.path;
      const disk = claim && path ? await usage(path).catch(() => undefined) : undefined;
      return claim && disk ? [{ name, pvcRef: { name: claim, namespace }, ...fsStats(disk, time) }] : [];
    }),
  );
  return all.flat();
}

export function fsStats(disk: Awaited<ReturnType<typeof diskUsage>>, time: string): FsStats {
  return {
    time,
    availableBytes: disk.availableBytes,
    capacityBytes: disk.totalBytes,
    usedBytes: disk.usedBytes,
    inodesFree: disk.freeInodes,
    inodes: disk.totalInodes,
    inodesUsed: disk.totalInodes - disk.freeInodes,
  };
}

function interfaceStats({ name, rxBytes, rxErrors, txBytes, txErrors }: NetworkInterfaceUsage): InterfaceStats {
  const some = (key: string, value: { readonly value: bigint } | undefined) => (value === undefined ? {} : { [key]: Number(value.value) });
  return { name, ...some('rxBytes', rxBytes), ...some('rxErrors', rxErrors), ...some('txBytes', txBytes), ...some('txErrors', txErrors) };
}
