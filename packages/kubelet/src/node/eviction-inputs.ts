import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import type { Paths } from '../paths.js';
import { isTerminal, podId } from '../pod/pod-spec.js';
import type { StatsProvider } from '../stats/summary.js';
import type { PodVerdict } from '../status/pod-status.js';
import type { PodUsage } from './eviction.js';
import { folderBytes, limitsLocalStorage, localStorageVerdict } from './local-storage.js';

type Summary = Awaited<ReturnType<StatsProvider['summary']>>;

/** What each pod uses of what is short. */
export function podUsage(resource: 'memory' | 'disk', pods: readonly Pod[], summary: Summary): PodUsage[] {
  return pods
    .filter((p) => !isTerminal(p))
    .map((pod) => {
      const found = summary.pods.find((s) => s.podRef.uid === pod.metadata?.uid);
      const usage = resource === 'memory' ? (found?.memory?.workingSetBytes ?? 0) : (found?.['ephemeral-storage']?.usedBytes ?? 0);
      return { pod, usage };
    });
}

/** Pods over a limit of their own on what they keep on the disk. */
export async function overLocalLimits(
  pods: readonly Pod[],
  paths: Paths,
  summarize: () => Promise<Summary>,
): Promise<{ readonly pod: Pod; readonly verdict: PodVerdict }[]> {
  const limited = pods.filter((p) => !isTerminal(p) && !p.metadata?.deletionTimestamp && limitsLocalStorage(p));
  if (limited.length === 0) return [];
  const summary = await summarize();
  const found = await Promise.all(
    limited.map(async (pod) => {
      const id = podId(pod);
      const folders = (pod.spec?.volumes ?? []).flatMap((v) => (v.emptyDir ? [v.name] : []));
      const used = await Promise.all(folders.map(async (name) => [name, await folderBytes(paths.volume(id.uid, 'empty-dir', name))] as const));
      const containers = await Promise.all(
        (summary.pods.find((s) => s.podRef.uid === id.uid)?.containers ?? []).map(
          async (c) => [c.name, (c.rootfs?.usedBytes ?? 0) + (await folderBytes(join(paths.podLogs(id), c.name)))] as const,
        ),
      );
      return { pod, verdict: localStorageVerdict(pod, { volumes: new Map(used), containers: new Map(containers) }) };
    }),
  );
  return found.flatMap(({ pod, verdict }) => (verdict ? [{ pod, verdict }] : []));
}
