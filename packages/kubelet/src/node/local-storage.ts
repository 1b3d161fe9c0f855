import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import { quantityValue } from '../pod/quantity.js';
import { podContainers } from '../pod/pod-spec.js';
import type { PodVerdict } from '../status/pod-status.js';

/** Bytes a pod keeps on the node's disk. */
export interface LocalUsage {
  /** Each emptyDir's, by volume. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Writable layer and logs, by container. */
  readonly containers: ReadonlyMap<string, number>;
}

/** Whether a pod has any limit that needs a look at its disk usage. */
export function limitsLocalStorage(pod: Pod): boolean {
  return (
    (pod.spec?.volumes ?? []).some((v) => quantityValue(v.emptyDir?.sizeLimit) > 0) ||
    podContainers(pod).some(({ container }) => container.resources?.limits?.['ephemeral-storage'] !== undefined)
  );
}

/** Why a pod has to go for what it keeps on the disk: an emptyDir's limit, the pod's, a container's. Pure. */
export function localStorageVerdict(pod: Pod, usage: LocalUsage): PodVerdict | undefined {
  for (const volume of pod.spec?.volumes ?? []) {
    const limit = quantityValue(volume.emptyDir?.sizeLimit);
    if (limit > 0 && (usage.volumes.get(volume.name) ?? 0) > limit)
      return evicted(`Usage of EmptyDir volume "${volume.name}" exceeds the limit "${volume.emptyDir?.sizeLimit}". `);
  }
  const regular = podContainers(pod).filter((r) => r.kind === 'regular' || r.kind === 'sidecar');
  const limits = regular.map(({ container }) => container.resources?.limits?.['ephemeral-storage']);
  const total = limits.reduce((sum, l) => sum + quantityValue(l), 0);
  if (limits.length > 0 && limits.every((l) => l !== undefined)) {
    // Memory-backed volumes count as memory.
    const onDisk = (pod.spec?.volumes ?? []).filter((v) => v.emptyDir && v.emptyDir.medium !== 'Memory');
    const used = onDisk.reduce((sum, v) => sum + (usage.volumes.get(v.name) ?? 0), 0) + [...usage.containers.values()].reduce((a, b) => a + b, 0);
    if (used > total) {
      const shown = limits.length === 1 ? limits[0] : String(total);
      return evicted(`Pod ephemeral local storage usage exceeds the total limit of containers ${shown}. `);
    }
  }
  for (const { container } of regular) {
    const limit = container.resources?.limits?.['ephemeral-storage'];
    if (limit !== undefined && (usage.containers.get(container.name) ?? 0) > quantityValue(limit))
      return evicted(`Container ${container.name} exceeded its local ephemeral storage limit "${limit}". `);
  }
  return undefined;
}

function evicted(message: string): PodVerdict {
  return { phase: 'Failed', reason: 'Evicted', message, condition: { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message } };
}

export const folderBytes = async (folder: string) => (await folderUsage(folder)).bytes;

/** Disk space and files below a folder, hard links counted once, other file systems not entered. */
export async function folderUsage(folder: string): Promise<{ readonly bytes: number; readonly inodes: number }> {
  const root = await lstat(folder).catch(() => undefined);
  if (!root) return { bytes: 0, inodes: 0 };
  let inodes = 1;
  const seen = new Set<number>();
  const walk = async (dir: string): Promise<number> => {
    let sum = 0;
    for (const entry of await readdir(dir).catch(() => [])) {
      const path = join(dir, entry);
      const found = await lstat(path).catch(() => undefined);
      if (!found || found.dev !== root.dev) continue;
      if (found.nlink > 1 && !found.isDirectory()) {
        if (seen.has(found.ino)) continue;
        seen.add(found.ino);
      }
      inodes++;
      sum += found.blocks * 512 + (found.isDirectory() ? await walk(path) : 0);
    }
    return sum;
  };
  const bytes = await walk(folder);
  return { bytes, inodes };
}
