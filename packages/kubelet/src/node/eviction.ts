import type { Pod } from '@coxswain/api';
import { podRequest } from '../pod/resources.js';
import { qosClass } from '../pod/qos.js';
import { formatBytes, quantityValue } from '../pod/quantity.js';
import type { PodVerdict } from '../status/pod-status.js';
import type { EvictionSignal } from './eviction-signals.js';
import type { PressureFacts } from './node-object.js';

export interface SignalReading {
  readonly available: number;
  readonly capacity: number;
}

export type SignalReadings = Readonly<Partial<Record<EvictionSignal, SignalReading>>>;

const RESOURCE: Readonly<Record<EvictionSignal, string>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'imagefs.available': 'ephemeral-storage',
  'imagefs.inodesFree': 'inodes',
  'containerfs.available': 'ephemeral-storage',
  'containerfs.inodesFree': 'inodes',
  'pid.available': 'pids',
};

/** Bytes or counts that a threshold's text means. */
const amountOf = (text: string, capacity: number) => (text.endsWith('%') ? (capacity * Number(text.slice(0, -1))) / 100 : quantityValue(text));

/** The thresholds that are crossed. `reclaim`: how far beyond a threshold counts as crossed still, by signal. Pure. */
export function crossedThresholds(
  readings: SignalReadings,
  thresholds: Readonly<Record<string, string>>,
  reclaim: Readonly<Record<string, string>> = {},
): { readonly signal: EvictionSignal; readonly threshold: number; readonly reading: SignalReading }[] {
  return (Object.entries(readings) as [EvictionSignal, SignalReading][]).flatMap(([signal, reading]) => {
    const text = thresholds[signal];
    if (!text || reading.capacity <= 0) return [];
    const threshold = amountOf(text, reading.capacity);
    return reading.available < threshold + amountOf(reclaim[signal] ?? '0', reading.capacity) ? [{ signal, threshold, reading }] : [];
  });
}

/** Which pressure each signal means. */
export function pressureOf(signals: readonly EvictionSignal[]): PressureFacts {
  return {
    memory: signals.includes('memory.available'),
    disk: signals.some((s) => /^(node|image|container)fs\./.test(s)),
    pids: signals.includes('pid.available'),
  };
}

export interface PodUsage {
  readonly pod: Pod;
  /** Bytes of memory or disk, by the signal. */
  readonly usage: number;
}

/** The pod to go first: what uses more than it asked for, then lower priority, then the most above its request. Static and critical pods never. Pure. */
export function rankForEviction(signal: EvictionSignal, pods: readonly PodUsage[]): Pod | undefined {
  const resource = RESOURCE[signal];
  const ranked = pods
    .filter(({ pod }) => !pod.metadata?.annotations?.['kubernetes.io/config.source'] && (pod.spec?.priority ?? 0) < 2_000_000_000)
    .map(({ pod, usage }) => ({ pod, over: usage - podRequest(pod, resource), priority: pod.spec?.priority ?? 0, qos: qosClass(pod) }))
    .sort((a, b) => Number(b.over > 0) - Number(a.over > 0) || a.priority - b.priority || b.over - a.over);
  return ranked[0]?.pod;
}

export function evictionVerdict(signal: EvictionSignal, threshold: number, available: number): PodVerdict {
  const resource = RESOURCE[signal];
  const show = (n: number) => (resource === 'inodes' || resource === 'pids' ? String(Math.round(n)) : formatBytes(Math.round(n / 1024) * 1024));
  const message = `The node was low on resource: ${resource}. Threshold quantity: ${show(threshold)}, available: ${show(available)}. `;
  return { phase: 'Failed', reason: 'Evicted', message, condition: { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message } };
}
