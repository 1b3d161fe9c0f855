import type { DaemonSet, Node, Pod } from '@coxswain/api';
import { scaledValue } from '../runtime/int-or-percent.js';
import { createdAt, isAvailable, isReady } from '../pods/pod-state.js';
import { daemonFits, isUpdated } from './daemon-pods.js';

export interface DaemonPlan {
  /** Node names. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  readonly failed: readonly Pod[];
}

export interface DaemonState {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** By the node they are for. */
  readonly podsByNode: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly now: number;
}

const oldest = (a: Pod, b: Pod): number => createdAt(a) - createdAt(b) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '');

/** One pod on every node that should have one (two, while one replaces the other by surge); none elsewhere. */
export function planPlacement({ set, nodes, podsByNode, hash, now }: DaemonState): DaemonPlan {
  const create: string[] = [];
  const remove: Pod[] = [];
  const failed: Pod[] = [];
  const { maxSurge } = limits(set, nodes.length);
  const known = new Set<string>();
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    known.add(name);
    const { shouldRun, mayStay } = daemonFits(set, node);
    const pods = podsByNode.get(name) ?? [];
    if (shouldRun && pods.length === 0) create.push(name);
    else if (!mayStay) remove.push(...pods.filter((p) => !p.metadata.deletionTimestamp));
    else {
      const alive: Pod[] = [];
      for (const p of pods) {
        if (p.metadata.deletionTimestamp) continue;
        if (p.status?.phase === 'Failed') failed.push(p);
        else if (p.status?.phase === 'Succeeded') remove.push(p);
        else alive.push(p);
      }
      if (maxSurge > 0) {
        // The old one goes when the new one is available; of the same age only one stays.
        const fresh = alive.filter((p) => isUpdated(p, hash)).sort(oldest);
        const old = alive.filter((p) => !isUpdated(p, hash)).sort(oldest);
        remove.push(...fresh.slice(1), ...old.slice(1));
        if (fresh[0] && isAvailable(fresh[0], set.spec?.minReadySeconds ?? 0, now)) remove.push(...old.slice(0, 1));
      } else remove.push(...alive.sort(oldest).slice(1));
    }
  }
  // Nodes that are gone: pod GC takes what ran there; what only waits for them is ours.
  for (const [name, pods] of podsByNode) if (!known.has(name)) remove.push(...pods.filter((p) => !p.spec?.nodeName && !p.metadata.deletionTimestamp));
  return { create, remove, failed };
}

export function limits(set: DaemonSet, desired: number): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const rolling = set.spec?.updateStrategy?.rollingUpdate;
  const maxSurge = scaledValue(rolling?.maxSurge ?? 0, desired, 'up');
  const maxUnavailable = scaledValue(rolling?.maxUnavailable ?? 1, desired, 'up');
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** One step of a rolling update: old pods to delete, and nodes that get a new one beside the old. */
export function planUpdate({ set, nodes, podsByNode, hash, now }: DaemonState): DaemonPlan {
  const nothing: DaemonPlan = { create: [], remove: [], failed: [] };
  if (set.spec?.updateStrategy?.type === 'OnDelete') return nothing;
  const wanted = nodes.filter((n) => daemonFits(set, n).shouldRun);
  const { maxSurge, maxUnavailable } = limits(set, wanted.length);
  const minReady = set.spec?.minReadySeconds ?? 0;
  let unavailable = 0;
  let surging = 0;
  const broken: Pod[] = [];
  const replaceable: { readonly node: string; readonly pod: Pod }[] = [];
  for (const node of wanted) {
    const name = node.metadata.name ?? '';
    const pods = podsByNode.get(name) ?? [];
    const alive = pods.filter((p) => !p.metadata.deletionTimestamp);
    const fresh = alive.find((p) => isUpdated(p, hash));
    const old = alive.find((p) => !isUpdated(p, hash));
    if (fresh && old) surging++;
    if (!alive.some((p) => isAvailable(p, minReady, now))) unavailable++;
    if (!old || fresh) continue;
    if (isReady(old) && isAvailable(old, minReady, now)) replaceable.push({ node: name, pod: old });
    else broken.push(old);
  }
  // What does not work is replaced at once: it costs nothing.
  if (maxSurge > 0)
    return {
      create: [
        ...broken.map((p) => p.spec?.nodeName ?? '').filter((n) => n !== ''),
        ...replaceable.slice(0, Math.max(0, maxSurge - surging)).map((r) => r.node),
      ],
      remove: broken.filter((p) => !p.spec?.nodeName),
      failed: [],
    };
  return { create: [], remove: [...broken, ...replaceable.slice(0, Math.max(0, maxUnavailable - unavailable)).map((r) => r.pod)], failed: [] };
}
