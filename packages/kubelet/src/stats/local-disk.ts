import { join } from 'node:path';
import type { Pod, Volume } from '@coxswain/api';
import { type DiskUsage, diskUsage } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import { folderUsage } from '../node/local-storage.js';
import type { Paths } from '../paths.js';
import { podId } from '../pod/pod-spec.js';
import type { VolumeStats } from './pod-extras.js';
import type { ContainerSummary, FsStats } from './summary.js';

/** Upstream looks at volumes once a minute. */
const FRESH_MS = 60_000;

type Usage = Awaited<ReturnType<typeof folderUsage>>;

export interface LocalDiskDeps {
  readonly paths: Pick<Paths, 'podLogs'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly usage?: (folder: string) => Promise<Usage>;
  readonly disk?: (folder: string) => Promise<DiskUsage>;
}

export interface PodDisk {
  /** By container. */
  readonly logs: ReadonlyMap<string, FsStats>;
  readonly volumes: readonly VolumeStats[];
  /** Of all that goes with the pod. */
  readonly ephemeral: FsStats;
}

/** What pods keep on the node's own disk: logs, and volumes that are folders there. */
export class LocalDisk {
  #known = new Map<string, { readonly at: number; readonly usage: Promise<Usage> }>();

  constructor(private readonly deps: LocalDiskDeps) {}

  /** @param node The file system that pods are on. */
  async pod(
    pod: Pod,
    containers: readonly ContainerSummary[],
    mounted: readonly { readonly name: string; readonly path: string }[],
    node: FsStats,
  ): Promise<PodDisk> {
    const folder = this.deps.paths.podLogs(podId(pod));
    const logs = await Promise.all(
      containers.map(async ({ name }) => {
        const { bytes, inodes } = await this.#usage(join(folder, name));
        return [name, { ...node, usedBytes: bytes, inodesUsed: inodes }] as const;
      }),
    );
    const wanted = (pod.spec?.volumes ?? []).filter(isFolder).flatMap((volume) => {
      const path = mounted.find(({ name }) => name === volume.name)?.path;
      return path === undefined ? [] : [{ volume, path }];
    });
    const found = await Promise.all(wanted.map(async ({ volume, path }) => ({ volume, stats: await this.#volume(path, node.time) })));
    const parts = [
      ...containers.map((c) => c.rootfs),
      ...logs.map(([, stats]) => stats),
      ...found.filter(({ volume }) => goesWithPod(volume)).map(({ stats }) => stats),
    ];
    const sum = (of: (stats: FsStats) => number | undefined) => parts.reduce((total, part) => total + ((part && of(part)) ?? 0), 0);
    return {
      logs: new Map(logs),
      volumes: found.map(({ volume, stats }) => ({ name: volume.name, ...stats })),
      ephemeral: { ...node, usedBytes: sum((s) => s.usedBytes), inodesUsed: sum((s) => s.inodesUsed) },
    };
  }

  async #volume(path: string, time: string): Promise<FsStats> {
    const [{ bytes, inodes }, disk] = await Promise.all([this.#usage(path), (this.deps.disk ?? diskUsage)(path).catch(() => undefined)]);
    return {
      time,
      ...(disk ? { availableBytes: disk.availableBytes, capacityBytes: disk.totalBytes, inodesFree: disk.freeInodes, inodes: disk.totalInodes } : {}),
      usedBytes: bytes,
      inodesUsed: inodes,
    };
  }

  #usage(folder: string): Promise<Usage> {
    const now = this.deps.clock.monotonic();
    const known = this.#known.get(folder);
    if (known && now - known.at < FRESH_MS) return known.usage;
    for (const [path, { at }] of this.#known) if (now - at >= FRESH_MS) this.#known.delete(path);
    const usage = (this.deps.usage ?? folderUsage)(folder);
    this.#known.set(folder, { at: now, usage });
    return usage;
  }
}

/** Volumes that are measured by what is in them. Pure. */
const isFolder = ({ emptyDir, configMap, secret, projected, downwardAPI }: Volume) => Boolean(emptyDir || configMap || secret || projected || downwardAPI);
/** As upstream counts: Secrets and tokens are in memory. */
const goesWithPod = ({ emptyDir, configMap }: Volume) => Boolean((emptyDir && !emptyDir.medium) || configMap);
