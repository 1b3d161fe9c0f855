import type { Lease, Node, NodeCondition, Taint } from '@coxswain/api';
import { formatTime, parseTime } from '@coxswain/apimachinery';

/** What was last seen of a node, and when, by our own clock: the node's clock is not trusted. */
export interface NodeProbe {
  readonly heartbeat: string;
  readonly renewTime: string;
  /** Monotonic milliseconds. */
  readonly at: number;
}

const READY = 'Ready';
/** Reported by the kubelet together: all become Unknown with it. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

export const conditionOf = (node: Node, type: string): NodeCondition | undefined => node.status?.conditions?.find((c) => c.type === type);

/** A sign of life is a changed heartbeat or a renewed lease. */
export function probe(node: Node, lease: Lease | undefined, before: NodeProbe | undefined, now: number): NodeProbe {
  const heartbeat = conditionOf(node, READY)?.lastHeartbeatTime ?? '';
  const renewTime = lease?.spec?.renewTime ?? '';
  if (before && before.heartbeat === heartbeat && before.renewTime === renewTime) return before;
  return { heartbeat, renewTime, at: now };
}

/** The conditions of a node that has been silent for too long; undefined: they say so already. */
export function silentConditions(node: Node, now: number): NodeCondition[] | undefined {
  let changed = false;
  const time = formatTime(now);
  const conditions = [...(node.status?.conditions ?? [])];
  for (const type of KUBELET_CONDITIONS) {
    const i = conditions.findIndex((c) => c.type === type);
    const c = conditions[i];
    if (!c) {
      changed = true;
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? time,
        lastTransitionTime: time,
      });
    } else if (c.status !== 'Unknown') {
      changed = true;
      conditions[i] = { ...c, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: time };
    }
  }
  return changed ? conditions : undefined;
}

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
/** Condition type → its taint; `NetworkUnavailable` and the pressures taint when True. */
const PRESSURE: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const MANAGED: ReadonlySet<string> = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE)]);

export const isReadyNode = (node: Node): boolean => conditionOf(node, READY)?.status === 'True';

/** The key of the taint that stands for the node's readiness; undefined: it is ready. */
export function readinessTaint(node: Node): string | undefined {
  const status = conditionOf(node, READY)?.status;
  return status === 'True' ? undefined : status === 'False' ? NOT_READY : UNREACHABLE;
}

/**
 * The taints the node should have, given its conditions. `evict`: add the NoExecute taint that drives pods away (held back when
 * too many nodes are in trouble at once); without it an existing one stays while its reason does, and `spare` takes it off.
 */
export function nodeTaints(node: Node, evict: 'add' | 'keep' | 'spare', now: number): Taint[] {
  const before = node.spec?.taints ?? [];
  const readiness = readinessTaint(node);
  const noSchedule = new Set<string>();
  if (readiness) noSchedule.add(readiness);
  for (const [type, key] of Object.entries(PRESSURE)) if (conditionOf(node, type)?.status === 'True') noSchedule.add(key);
  if (node.spec?.unschedulable) noSchedule.add(UNSCHEDULABLE);
  const taints = before.filter((t) => {
    if (t.effect === 'NoSchedule' && MANAGED.has(t.key)) return noSchedule.has(t.key);
    if (t.effect === 'NoExecute' && (t.key === NOT_READY || t.key === UNREACHABLE)) return evict !== 'spare' && t.key === readiness;
    return true;
  });
  const has = (key: string, effect: string) => taints.some((t) => t.key === key && t.effect === effect);
  for (const key of noSchedule) if (!has(key, 'NoSchedule')) taints.push({ key, effect: 'NoSchedule', timeAdded: formatTime(now) });
  // Not ready for one reason, evicting for the other: swap at once, the eviction is going on already.
  const swapped = readiness !== undefined && before.some((t) => t.effect === 'NoExecute' && (t.key === NOT_READY || t.key === UNREACHABLE));
  if (readiness && evict !== 'spare' && (evict === 'add' || swapped) && !has(readiness, 'NoExecute'))
    taints.push({ key: readiness, effect: 'NoExecute', timeAdded: formatTime(now) });
  return taints;
}

export const hasEvictionTaint = (node: Node): boolean => {
  const key = readinessTaint(node);
  return (node.spec?.taints ?? []).some((t) => t.effect === 'NoExecute' && t.key === key);
};

/** How fast nodes of a zone may be given up: nodes per second. Many sick nodes at once are more likely our own trouble. */
export function evictionRate(total: number, notReady: number): number {
  if (notReady > 0 && notReady === total) return 0.1;
  if (notReady > 2 && notReady / total >= 0.55) return total > 50 ? 0.01 : 0;
  return 0.1;
}

export const createdMs = (node: Node): number => parseTime(node.metadata.creationTimestamp ?? '') ?? 0;
