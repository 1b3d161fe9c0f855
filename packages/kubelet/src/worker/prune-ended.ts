import type { ObservedPod } from '../pod/observed.js';
import type { PodRuntime } from '../runtime/pod-runtime.js';

/**
 * Keeps the last ended container of a name: its log and state are what `--previous` and lastState show. Sandboxes of which nothing is left go too.
 * What cannot be removed now is at the next start.
 */
export async function pruneEnded(runtime: Pick<PodRuntime, 'removeContainer' | 'removeSandbox'>, observed: ObservedPod, name: string): Promise<void> {
  const ended = observed.containers.filter((c) => c.name === name && c.phase !== 'running');
  const keep = observed.containers.some((c) => c.name === name && c.phase === 'running') ? 1 : 2;
  for (const container of ended.slice(keep)) await runtime.removeContainer(observed, container).catch(() => {});
  if (observed.sandboxes.length < 2) return;
  for (const old of observed.sandboxes.slice(1)) {
    if (!old.ready && !observed.containers.some((c) => c.sandboxId === old.id)) await runtime.removeSandbox(old.id).catch(() => {});
  }
}
