import type { Pod } from '@coxswain/api';
import type { ContainerStats, ImageServiceClient, RuntimeServiceClient } from '@coxswain/cri';
import { type CgroupStats, diskUsage, memoryUsage } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { PodCgroups } from '../cgroups/pod-cgroups.js';
import { Keys } from '../pod/keys.js';
import type { Paths } from '../paths.js';
import { LocalDisk } from './local-disk.js';
import { type NodeExtras, nodeExtras, nodeSwap } from './node-extras.js';
import { type ClaimStats, claimStats, fsStats, type NetworkStats, podNetworks, type VolumeStats } from './pod-extras.js';
import { pressureOf, psiOf, type Shortage, shortageOfContainer, shortageOfGroup, type WithPressure } from './shortage.js';

export interface CpuStats extends WithPressure {
  readonly time: string;
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds?: number;
}

export interface MemoryStats extends WithPressure {
  readonly time: string;
  readonly availableBytes?: number;
  readonly usageBytes?: number;
  readonly workingSetBytes?: number;
  readonly rssBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
}

export interface FsStats {
  readonly time: string;
  readonly availableBytes?: number;
  readonly capacityBytes?: number;
  readonly usedBytes?: number;
  readonly inodesFree?: number;
  readonly inodes?: number;
  readonly inodesUsed?: number;
}

export interface ContainerSummary extends Shortage {
  readonly name: string;
  readonly startTime: string;
  readonly cpu?: CpuStats;
  readonly memory?: MemoryStats;
  readonly rootfs?: FsStats;
  readonly logs?: FsStats;
}

export interface PodSummary extends Shortage {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly startTime: string;
  readonly containers: readonly ContainerSummary[];
  readonly cpu?: CpuStats;
  readonly memory?: MemoryStats;
  readonly network?: NetworkStats;
  readonly volume?: readonly VolumeStats[];
  readonly 'ephemeral-storage'?: FsStats;
  readonly process_stats?: { readonly process_count: number };
}

export interface Summary {
  readonly node: NodeExtras & {
    readonly nodeName: string;
    readonly startTime: string;
    readonly cpu?: CpuStats;
    readonly memory?: MemoryStats;
    readonly fs?: FsStats;
  };
  readonly pods: readonly PodSummary[];
}

export interface StatsDeps {
  readonly runtime: RuntimeServiceClient;
  readonly clock: Clock;
  readonly cgroups: PodCgroups | undefined;
  readonly pods: () => readonly Pod[];
  /** Where the volumes of a pod are. */
  readonly volumes: (uid: string) => readonly { readonly name: string; readonly path: string }[];
  readonly nodeName: string;
  readonly paths: Paths;
  readonly image: ImageServiceClient;
  readonly startedAt: number;
}

/** Computes rates between two looks at the same counter. */
class Rates {
  readonly #last = new Map<string, { readonly at: number; readonly value: number; readonly rate: number | undefined }>();

  /** Units per second ×10⁹ of a nanosecond counter: nano-cores. */
  rate(key: string, nanoseconds: number, now: number): number | undefined {
    const last = this.#last.get(key);
    if (last && now - last.at < 1000) return last.rate;
    const rate = last && now > last.at && nanoseconds >= last.value ? Math.round(((nanoseconds - last.value) * 1000) / (now - last.at)) : last?.rate;
    this.#last.set(key, { at: now, value: nanoseconds, rate });
    return rate;
  }

  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#last.keys()) if (!keys.has(key)) this.#last.delete(key);
  }
}

const number = (v: { readonly value: bigint } | undefined) => (v === undefined ? undefined : Number(v.value));
const defined = <T extends object>(o: T): T => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as T;

/** What the node, its pods and their containers use. */
export class StatsProvider {
  readonly #rates = new Rates();

  readonly #disk: LocalDisk;

  constructor(private readonly deps: StatsDeps) {
    this.#disk = new LocalDisk(deps);
  }

  async summary(): Promise<Summary> {
    const { runtime, clock, cgroups, pods, nodeName, paths, startedAt } = this.deps;
    const now = clock.now();
    const time = new Date(now).toISOString();
    const [{ stats }, disk, memory, node] = await Promise.all([
      runtime.listContainerStats({}, { timeoutMs: 10_000 }),
      diskUsage(paths.rootDir),
      memoryUsage(),
      cgroups?.nodeStats().catch(() => undefined),
    ]);
    const byPod = new Map<string, ContainerStats[]>();
    const seen = new Set(['node']);
    for (const s of stats) {
      const uid = s.attributes?.labels[Keys.podUid];
      if (uid) byPod.set(uid, [...(byPod.get(uid) ?? []), s]);
    }
    const summaries = await Promise.all(
      pods().map(async (pod): Promise<PodSummary> => {
        const { uid = '', name = '', namespace = 'default' } = pod.metadata ?? {};
        const group = await cgroups?.stats(pod).catch(() => undefined);
        seen.add(`pod/${uid}`);
        const containers = (byPod.get(uid) ?? []).map((s) => {
          seen.add(`container/${s.attributes?.id}`);
          return this.#container(s, pod, now);
        });
        return {
          podRef: { name, namespace, uid },
          startTime: text(pod.status?.startTime) ?? time,
          containers,
          ...(group ? this.#group(`pod/${uid}`, group, now, time) : sum(containers, time)),
        };
      }),
    );
    this.#rates.keep(seen);
    const workingSet = memory.totalBytes - memory.availableBytes;
    return {
      node: {
        nodeName,
        startTime: new Date(startedAt).toISOString(),
        ...(node ? { cpu: this.#cpu('node', node.cpu.usageNanoseconds, now, time) } : {}),
        memory: defined({
          time,
          availableBytes: memory.availableBytes,
          usageBytes: memory.totalBytes - memory.freeBytes,
          workingSetBytes: workingSet,
          ...(node ? { rssBytes: node.memory.rssBytes, pageFaults: node.memory.pageFaults, majorPageFaults: node.memory.majorPageFaults } : {}),
        }),
        swap: nodeSwap(memory, time),
        fs: fsStats(disk, time),
      },
      pods: summaries.filter((p) => p.containers.length > 0),
    };
  }

  /** With what goes over the pods' network. */
  async networked(): Promise<Summary> {
    const [summary, networks] = await Promise.all([this.summary(), podNetworks(this.deps.runtime)]);
    const pods = summary.pods.map((pod): PodSummary => {
      const network = networks.get(pod.podRef.uid);
      return network ? { ...pod, network } : pod;
    });
    return { ...summary, pods };
  }

  /** With what is kept on disks, too, which takes longer. */
  async detailed(): Promise<Summary> {
    const [summary, claims] = await Promise.all([this.networked(), this.#claims()]);
    const { fs } = summary.node;
    const extras = await nodeExtras(this.deps.image, fs?.time ?? '');
    const { imageFs } = extras.runtime ?? {};
    const specs = new Map(this.deps.pods().map((pod) => [pod.metadata?.uid ?? '', pod]));
    const pods = await Promise.all(
      summary.pods.map(async (pod): Promise<PodSummary> => {
        const { uid } = pod.podRef;
        const spec = specs.get(uid);
        const local = spec && fs && (await this.#disk.pod(spec, pod.containers, this.deps.volumes(uid), fs));
        const volume = [...(local?.volumes ?? []), ...(claims.get(uid) ?? [])];
        return {
          ...pod,
          containers: pod.containers.map((c) => withDisk(c, local?.logs.get(c.name), imageFs)),
          ...(volume.length > 0 ? { volume } : {}),
          ...(local ? { 'ephemeral-storage': local.ephemeral } : {}),
        };
      }),
    );
    return { node: { ...summary.node, ...extras }, pods };
  }

  /** How full the volumes of claims are, each claim once. */
  async claims(): Promise<readonly ClaimStats[]> {
    const all = [...(await this.#claims()).values()].flat();
    return [...new Map(all.map((volume) => [`${volume.pvcRef.namespace}/${volume.pvcRef.name}`, volume])).values()];
  }

  async #claims(): Promise<ReadonlyMap<string, readonly ClaimStats[]>> {
    const { pods, volumes, clock } = this.deps;
    const time = new Date(clock.now()).toISOString();
    return new Map(
      await Promise.all(
        pods().map(async (pod) => {
          const uid = pod.metadata?.uid ?? '';
          return [uid, await claimStats(pod, volumes(uid), time)] as const;
        }),
      ),
    );
  }

  /** `?only_cpu_and_memory=true` */
  async cpuAndMemory(): Promise<Summary> {
    const { node, pods } = await this.summary();
    const { fs: _fs, ...ofNode } = node;
    return { node: ofNode, pods: pods.map((pod) => ({ ...pod, containers: pod.containers.map(({ rootfs: _rootfs, ...container }) => container) })) };
  }

  #cpu(key: string, nanoseconds: number, now: number, time: string): CpuStats {
    const rate = this.#rates.rate(key, nanoseconds, now);
    return defined({ time, usageNanoCores: rate, usageCoreNanoSeconds: nanoseconds });
  }

  #group(key: string, s: CgroupStats, now: number, time: string): Pick<PodSummary, 'cpu' | 'memory' | 'process_stats' | keyof Shortage> {
    return {
      ...shortageOfGroup(s, time),
      process_stats: { process_count: s.pids.current },
      cpu: { ...this.#cpu(key, s.cpu.usageNanoseconds, now, time), ...pressureOf(s.cpu.pressure) },
      memory: {
        time,
        usageBytes: s.memory.usageBytes,
        workingSetBytes: s.memory.workingSetBytes,
        rssBytes: s.memory.rssBytes,
        pageFaults: s.memory.pageFaults,
        majorPageFaults: s.memory.majorPageFaults,
        ...pressureOf(s.memory.pressure),
      },
    };
  }

  #container(s: ContainerStats, pod: Pod, now: number): ContainerSummary {
    const name = s.attributes?.labels[Keys.containerName] ?? s.attributes?.metadata?.name ?? '';
    const id = s.attributes?.id ?? '';
    const time = (ns: bigint | undefined) => new Date(ns ? Number(ns / 1_000_000n) : now).toISOString();
    const usage = number(s.cpu?.usageCoreNanoSeconds);
    const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((c) => c.name === name);
    return {
      name,
      startTime: text(status?.state?.running?.startedAt) ?? time(undefined),
      ...(s.cpu && usage !== undefined
        ? {
            cpu: defined({
              time: time(s.cpu.timestamp),
              usageNanoCores: number(s.cpu.usageNanoCores) ?? this.#rates.rate(`container/${id}`, usage, now),
              usageCoreNanoSeconds: usage,
              ...psiOf(s.cpu.psi),
            }),
          }
        : {}),
      ...(s.memory
        ? {
            memory: defined({
              time: time(s.memory.timestamp),
              usageBytes: number(s.memory.usageBytes),
              workingSetBytes: number(s.memory.workingSetBytes),
              availableBytes: number(s.memory.availableBytes),
              rssBytes: number(s.memory.rssBytes),
              pageFaults: number(s.memory.pageFaults),
              majorPageFaults: number(s.memory.majorPageFaults),
              ...psiOf(s.memory.psi),
            }),
          }
        : {}),
      ...shortageOfContainer(s, time(s.swap?.timestamp ?? s.io?.timestamp)),
      ...(s.writableLayer
        ? {
            rootfs: defined({
              time: time(s.writableLayer.timestamp),
              usedBytes: number(s.writableLayer.usedBytes),
              inodesUsed: number(s.writableLayer.inodesUsed),
            }),
          }
        : {}),
    };
  }
}

/** The writable layer is on the file system of the images. */
function withDisk(container: ContainerSummary, logs: FsStats | undefined, imageFs: FsStats | undefined): ContainerSummary {
  const { rootfs } = container;
  const { usedBytes: _bytes, inodesUsed: _inodes, time: _time, ...whole } = imageFs ?? { time: '' };
  return { ...container, ...(rootfs ? { rootfs: { ...whole, ...rootfs } } : {}), ...(logs ? { logs } : {}) };
}

const text = (time: string | undefined) => time;

function sum(containers: readonly ContainerSummary[], time: string): Pick<PodSummary, 'cpu' | 'memory'> {
  const add = (of: (c: ContainerSummary) => number | undefined) => containers.reduce((total, c) => total + (of(c) ?? 0), 0);
  return {
    cpu: { time, usageNanoCores: add((c) => c.cpu?.usageNanoCores), usageCoreNanoSeconds: add((c) => c.cpu?.usageCoreNanoSeconds) },
    memory: {
      time,
      usageBytes: add((c) => c.memory?.usageBytes),
      workingSetBytes: add((c) => c.memory?.workingSetBytes),
      rssBytes: add((c) => c.memory?.rssBytes),
    },
  };
}
