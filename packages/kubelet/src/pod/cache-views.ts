import type { Pod } from '@coxswain/api';
import type { PodCache } from './pod-cache.js';

/** How many containers there are, by state. */
export function containersByState(cache: PodCache): Map<string, number> {
  const states = new Map<string, number>();
  for (const uid of cache.uids()) {
    for (const { phase } of cache.get(uid).containers) states.set(phase, (states.get(phase) ?? 0) + 1);
  }
  return states;
}

/** What the runtime runs, as pods, whether anybody wants them or not. */
export function runningPods(cache: PodCache): Pod[] {
  return cache.uids().flatMap((uid) => {
    const observed = cache.get(uid);
    if (!observed.sandboxes.some((s) => s.ready)) return [];
    const containers = observed.containers.filter((c) => c.phase === 'running').map((c) => ({ name: c.name, image: c.image, resources: {} }));
    return [{ metadata: { name: observed.name, namespace: observed.namespace, uid }, spec: { containers }, status: {} } as Pod];
  });
}
