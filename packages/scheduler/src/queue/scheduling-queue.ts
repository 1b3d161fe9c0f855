import type { KubeObject, Pod } from '@coxswain/api';
import type { ClusterEvent, QueuedPod, SchedulingStatus } from '@coxswain/sdk';
import { podKey } from '../framework/pod-key.js';
import { KeyedHeap } from './heap.js';
import { newQueueItem, type QueueItem } from './queued-pod.js';

/** A change of the cluster, as the informers saw it. */
export interface ClusterChange {
  readonly resource: ClusterEvent['resource'];
  readonly action: ClusterEvent['action'];
  readonly before?: KubeObject | undefined;
  readonly after?: KubeObject | undefined;
}

export interface QueueOptions {
  readonly less: (a: QueuedPod, b: QueuedPod) => boolean;
  readonly preEnqueue: (pod: Pod) => { readonly plugin: string; readonly status: SchedulingStatus } | undefined;
  /** The events each plugin named; a plugin that is not here wants none. */
  readonly events: ReadonlyMap<string, readonly ClusterEvent[]>;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** After so long a pod is tried again whatever happened: upstream's safety net of 5 minutes. */
  readonly maxUnschedulableMs: number;
}

/**
 * Pods waiting to be scheduled, in three places: *active* (to be tried now, by queueSort order), *backoff* (to be tried when
 * their time has come) and *unschedulable* (nothing to do until the cluster changes in a way one of the refusing plugins named).
 * Pure: the time is an argument and nothing happens by itself; the owner calls `flush` when `nextWake` says so.
 */
export class SchedulingQueue {
  readonly #active: KeyedHeap<QueueItem>;
  readonly #backoff: KeyedHeap<QueueItem>;
  readonly #unschedulable = new Map<string, QueueItem>();
  /** Popped and not yet done; changes seen meanwhile are remembered, so that none falls between attempt and parking. */
  readonly #inFlight = new Map<string, ClusterChange[]>();

  constructor(readonly options: QueueOptions) {
    this.#active = new KeyedHeap<QueueItem>((i) => i.key, options.less);
    this.#backoff = new KeyedHeap<QueueItem>(
      (i) => i.key,
      (a, b) => this.#readyAt(a) < this.#readyAt(b),
    );
  }

  get sizes(): { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number } {
    let gated = 0;
    for (const i of this.#unschedulable.values()) if (i.gatedBy !== undefined) gated++;
    return { active: this.#active.size, backoff: this.#backoff.size, unschedulable: this.#unschedulable.size - gated, gated };
  }

  /** A pod that has to be scheduled appeared. */
  add(pod: Pod, now: number): void {
    const key = podKey(pod);
    if (this.#inFlight.has(key)) return;
    const item = this.#find(key) ?? newQueueItem(pod, now);
    item.pod = pod;
    this.#remove(key);
    this.#enqueue(item, now);
  }

  /** The pod itself changed; a change of its spec or labels may make it schedulable. */
  update(pod: Pod, now: number, mayHelp: boolean): void {
    const key = podKey(pod);
    const flight = this.#inFlight.get(key);
    if (flight) {
      if (mayHelp) flight.push({ resource: 'Pod', action: 'update', after: pod as KubeObject });
      return;
    }
    const item = this.#find(key);
    if (!item) {
      this.add(pod, now);
      return;
    }
    item.pod = pod;
    if (this.#active.get(key)) this.#active.push(item);
    else if (this.#unschedulable.has(key) && (mayHelp || item.gatedBy !== undefined)) {
      this.#unschedulable.delete(key);
      this.#requeue(item, now);
    }
  }

  delete(pod: Pod): void {
    this.#remove(podKey(pod));
    this.#inFlight.delete(podKey(pod));
  }

  /** The next pod to try; the caller owes a `done` or a `park`. */
  pop(now: number): QueueItem | undefined {
    this.flush(now);
    const item = this.#active.pop();
    if (!item) return undefined;
    item.attempts++;
    this.#inFlight.set(item.key, []);
    return item;
  }

  /** Bound, deleted or otherwise no longer ours. */
  done(item: QueueItem): void {
    this.#inFlight.delete(item.key);
  }

  /** The attempt failed. `refusedBy` empty: an error of ours, tried again after back-off. */
  park(item: QueueItem, refusedBy: ReadonlySet<string>, now: number): void {
    const missed = this.#inFlight.get(item.key);
    if (!missed) return; // deleted meanwhile
    this.#inFlight.delete(item.key);
    item.lastAttemptAt = now;
    item.refusedBy = refusedBy;
    if (refusedBy.size === 0 || missed.some((change) => this.#worthTrying(item, change))) this.#backoff.push(item);
    else {
      item.unschedulableSince = now;
      this.#unschedulable.set(item.key, item);
    }
  }

  /** Placed, but its binding failed: try again after back-off. The caller knows that the pod still wants a node. */
  retry(item: QueueItem, now: number): void {
    if (this.#inFlight.has(item.key) || this.#find(item.key)) return;
    item.lastAttemptAt = now;
    item.refusedBy = new Set();
    this.#backoff.push(item);
  }

  /** The cluster changed: bring back the pods it may help. */
  changed(change: ClusterChange, now: number): void {
    for (const missed of this.#inFlight.values()) missed.push(change);
    if (this.#unschedulable.size === 0) return;
    for (const item of this.#unschedulable.values()) {
      if (!(item.gatedBy === undefined ? this.#worthTrying(item, change) : this.#mayHelp(item.gatedBy, item, change))) continue;
      this.#unschedulable.delete(item.key);
      this.#requeue(item, now);
    }
  }

  /** Bring these back now, e.g. when a victim of their preemption is gone. */
  activate(pods: Iterable<Pod>, now: number): void {
    for (const pod of pods) {
      const item = this.#find(podKey(pod));
      if (!item || item.gatedBy !== undefined || this.#active.get(item.key)) continue;
      this.#remove(item.key);
      this.#enqueue(item, now);
    }
  }

  /** Moves what has waited long enough. */
  flush(now: number): void {
    for (let top = this.#backoff.peek(); top && this.#readyAt(top) <= now; top = this.#backoff.peek()) {
      this.#backoff.pop();
      this.#enqueue(top, now);
    }
    for (const item of this.#unschedulable.values()) {
      if (item.gatedBy !== undefined) continue;
      // Insertion order is the order of parking: the rest is younger.
      if (item.unschedulableSince + this.options.maxUnschedulableMs > now) break;
      this.#unschedulable.delete(item.key);
      this.#requeue(item, now);
    }
  }

  /** When `flush` will next have something to do; undefined: only after a call to another method. */
  nextWake(): number | undefined {
    const top = this.#backoff.peek();
    let wake = top ? this.#readyAt(top) : undefined;
    for (const item of this.#unschedulable.values()) {
      if (item.gatedBy !== undefined) continue;
      const at = item.unschedulableSince + this.options.maxUnschedulableMs;
      wake = wake === undefined ? at : Math.min(wake, at);
      break;
    }
    return wake;
  }

  get hasActive(): boolean {
    return this.#active.size > 0;
  }

  pending(): readonly Pod[] {
    return [...this.#active.values(), ...this.#backoff.values(), ...this.#unschedulable.values()].map((i) => i.pod);
  }

  #readyAt(item: QueueItem): number {
    if (item.attempts === 0) return item.lastAttemptAt;
    const backoff = Math.min(this.options.initialBackoffMs * 2 ** (item.attempts - 1), this.options.maxBackoffMs);
    return item.lastAttemptAt + backoff;
  }

  #requeue(item: QueueItem, now: number): void {
    if (this.#readyAt(item) > now) this.#backoff.push(item);
    else this.#enqueue(item, now);
  }

  #enqueue(item: QueueItem, now: number): void {
    const gate = this.options.preEnqueue(item.pod);
    item.gatedBy = gate?.plugin;
    if (gate) {
      item.unschedulableSince = now;
      this.#unschedulable.set(item.key, item);
    } else this.#active.push(item);
  }

  #worthTrying(item: QueueItem, change: ClusterChange): boolean {
    if (item.refusedBy.size === 0) return true;
    for (const plugin of item.refusedBy) if (this.#mayHelp(plugin, item, change)) return true;
    return false;
  }

  #mayHelp(plugin: string, item: QueueItem, change: ClusterChange): boolean {
    for (const e of this.options.events.get(plugin) ?? []) {
      if (e.resource !== '*' && (e.resource !== change.resource || e.action !== change.action)) continue;
      if (!e.helps || e.helps(item.pod, change.before, change.after)) return true;
    }
    return false;
  }

  #find(key: string): QueueItem | undefined {
    return this.#active.get(key) ?? this.#backoff.get(key) ?? this.#unschedulable.get(key);
  }

  #remove(key: string): void {
    this.#active.delete(key);
    this.#backoff.delete(key);
    this.#unschedulable.delete(key);
  }
}
