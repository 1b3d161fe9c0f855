import type { Node, Pod } from '@coxswain/api';
import type { NodeInfo } from '@coxswain/sdk';
import { PodClasses } from '../framework/pod-class.js';
import { podKey } from '../framework/pod-key.js';
import { withNodeName } from '../framework/pod-resources.js';
import { NodeEntry } from './node-entry.js';
import { interleaveZones, sameZone } from './node-order.js';

/** Nodes and the pods on them as of one moment; the infos are immutable, the list is the cache's own until the next `snapshot()`. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  get(name: string): NodeInfo | undefined;
  /** How many nodes have this image. */
  imageNodes(image: string): number;
  /** Whether any node has a taint that only makes it less liked. */
  readonly anyPreferNoSchedule: boolean;
  readonly classes: PodClasses;
  /** Nodes with at least one pod that has inter-pod affinity / required anti-affinity. */
  readonly withAffinity: readonly NodeInfo[];
  readonly withRequiredAntiAffinity: readonly NodeInfo[];
}

const NOTHING: readonly NodeInfo[] = [];

type PodState = { readonly pod: Pod; readonly node: string; readonly assumed: boolean };

/**
 * What the scheduler believes: what the API says, plus pods it has decided on whose binding has not been seen yet ("assumed").
 * An assumed pod is confirmed by `addPod`, or taken back by `forgetPod`.
 */
export class SchedulerCache {
  readonly #entries = new Map<string, NodeEntry>();
  readonly #pods = new Map<string, PodState>();
  readonly #images = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #classes = new PodClasses();
  readonly #preferNoSchedule = new Set<string>();
  readonly #affinity = new Set<string>();
  readonly #antiAffinity = new Set<string>();
  #index = new Map<string, number>();
  #list: NodeInfo[] = [];
  #relist = true;
  #snapshot: Snapshot | undefined;

  setNode(node: Node): void {
    const name = node.metadata.name ?? '';
    const entry = this.#entry(name);
    const before = entry.node;
    this.#countImages(entry, -1);
    entry.setNode(node);
    this.#countImages(entry, 1);
    toggle(this.#preferNoSchedule, name, node.spec?.taints?.some((t) => t.effect === 'PreferNoSchedule') ?? false);
    if (!before || !sameZone(before, node)) this.#relist = true;
    this.#dirty.add(name);
  }

  removeNode(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#countImages(entry, -1);
    this.#preferNoSchedule.delete(name);
    entry.setNode(undefined);
    if (entry.podCount === 0) this.#entries.delete(name);
    this.#relist = true;
  }

  /** The pod takes its place on the node before the API says so. */
  assumePod(pod: Pod, nodeName: string): Pod {
    const key = podKey(pod);
    const placed = withNodeName(pod, nodeName);
    this.#place(key, { pod: placed, node: nodeName, assumed: true });
    return placed;
  }

  forgetPod(pod: Pod): void {
    const key = podKey(pod);
    if (this.#pods.get(key)?.assumed) this.#drop(key);
  }

  /** Add or update an assigned pod as the API has it; confirms an assumed one. */
  setPod(pod: Pod): void {
    this.#place(podKey(pod), { pod, node: pod.spec?.nodeName ?? '', assumed: false });
  }

  removePod(pod: Pod): void {
    this.#drop(podKey(pod));
  }

  isAssumed(pod: Pod): boolean {
    return this.#pods.get(podKey(pod))?.assumed ?? false;
  }

  get nodeCount(): number {
    return this.snapshot().nodes.length;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  get assumedCount(): number {
    let n = 0;
    for (const p of this.#pods.values()) if (p.assumed) n++;
    return n;
  }

  /** Cheap when nothing changed since the last call: the same snapshot is handed out. */
  snapshot(): Snapshot {
    if (this.#snapshot && !this.#relist && this.#dirty.size === 0) return this.#snapshot;
    this.#refresh();
    const entries = this.#entries;
    const pick = (names: ReadonlySet<string>): readonly NodeInfo[] => {
      if (names.size === 0) return NOTHING;
      const out: NodeInfo[] = [];
      for (const name of names) {
        const info = entries.get(name)?.info();
        if (info) out.push(info);
      }
      return out;
    };
    this.#snapshot = {
      nodes: this.#list,
      get: (name) => entries.get(name)?.info(),
      imageNodes: (image) => this.#images.get(image) ?? 0,
      anyPreferNoSchedule: this.#preferNoSchedule.size > 0,
      classes: this.#classes,
      withAffinity: pick(this.#affinity),
      withRequiredAntiAffinity: pick(this.#antiAffinity),
    };
    return this.#snapshot;
  }

  #refresh(): void {
    if (this.#relist) {
      const nodes: Node[] = [];
      for (const entry of this.#entries.values()) if (entry.node) nodes.push(entry.node);
      const names = interleaveZones(nodes);
      this.#list = names.map((name) => this.#entries.get(name)?.info() as NodeInfo);
      this.#index = new Map(names.map((name, i) => [name, i]));
      this.#relist = false;
    } else {
      for (const name of this.#dirty) {
        const i = this.#index.get(name);
        const info = this.#entries.get(name)?.info();
        if (i !== undefined && info) this.#list[i] = info;
      }
    }
    for (const name of this.#dirty) {
      const info = this.#entries.get(name)?.info();
      toggle(this.#affinity, name, (info?.podsWithAffinity.length ?? 0) > 0);
      toggle(this.#antiAffinity, name, (info?.podsWithRequiredAntiAffinity.length ?? 0) > 0);
    }
    this.#dirty.clear();
  }

  #entry(name: string): NodeEntry {
    let entry = this.#entries.get(name);
    if (!entry) this.#entries.set(name, (entry = new NodeEntry(name)));
    return entry;
  }

  #place(key: string, state: PodState): void {
    const before = this.#pods.get(key);
    if (before && before.node !== state.node) this.#drop(key);
    this.#pods.set(key, state);
    this.#entry(state.node).addPod(key, state.pod);
    this.#dirty.add(state.node);
  }

  #drop(key: string): void {
    const state = this.#pods.get(key);
    if (!state) return;
    this.#pods.delete(key);
    const entry = this.#entries.get(state.node);
    entry?.removePod(key);
    if (entry && !entry.node && entry.podCount === 0) this.#entries.delete(state.node);
    this.#dirty.add(state.node);
  }

  #countImages(entry: NodeEntry, sign: 1 | -1): void {
    for (const image of entry.images.keys()) {
      const n = (this.#images.get(image) ?? 0) + sign;
      if (n > 0) this.#images.set(image, n);
      else this.#images.delete(image);
    }
  }
}

function toggle(set: Set<string>, name: string, present: boolean): void {
  if (present) set.add(name);
  else set.delete(name);
}
