import type { ObservedContainer, ObservedPod, ObservedSandbox } from './observed.js';
import { emptyObservedPod } from './observed.js';

interface Entry {
  uid: string;
  name: string;
  namespace: string;
  sandboxes: Map<string, ObservedSandbox>;
  containers: Map<string, ObservedContainer>;
  view?: ObservedPod;
}

const RANK = { unknown: 0, created: 1, running: 2, exited: 3 } as const;

/**
 * What the runtime holds, by pod. Fed by events, lists and the answers to our own calls in any order: a container's state only
 * ever advances (created → running → exited) and a removed id never comes back, so late news does no harm.
 */
export class PodCache {
  readonly #pods = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #gone = new Set<string>();

  /** The pod as last known; empty when the runtime holds nothing of it. */
  get(uid: string): ObservedPod {
    const entry = this.#pods.get(uid);
    if (!entry) return emptyObservedPod(uid, '', '');
    entry.view ??= {
      uid,
      name: entry.name,
      namespace: entry.namespace,
      sandboxes: [...entry.sandboxes.values()].sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt),
      containers: [...entry.containers.values()].sort((a, b) => b.restartCount - a.restartCount || b.createdAt - a.createdAt),
    };
    return entry.view;
  }

  uids(): string[] {
    return [...this.#pods.keys()];
  }

  /** True when it changed what is known. */
  putSandbox(pod: { uid: string; name: string; namespace: string }, sandbox: ObservedSandbox): boolean {
    if (this.#gone.has(sandbox.id)) return false;
    const entry = this.#entry(pod);
    const old = entry.sandboxes.get(sandbox.id);
    // Not ready is for ever; an address is not lost while the sandbox is ready.
    if (old && !old.ready && sandbox.ready) return false;
    const next = old && sandbox.ips.length === 0 && sandbox.ready === old.ready ? { ...sandbox, ips: old.ips } : sandbox;
    if (old && same(old, next)) return false;
    entry.sandboxes.set(sandbox.id, next);
    this.#byId.set(sandbox.id, entry);
    entry.view = undefined;
    return true;
  }

  /** True when it changed what is known. */
  putContainer(pod: { uid: string; name: string; namespace: string }, container: ObservedContainer): boolean {
    if (this.#gone.has(container.id)) return false;
    const entry = this.#entry(pod);
    const old = entry.containers.get(container.id);
    if (old && RANK[container.phase] < RANK[old.phase] && container.phase !== 'unknown') return false;
    if (old?.phase === 'exited' && container.phase === 'unknown') return false;
    const next = old?.message && !container.message ? { ...container, message: old.message } : container;
    if (old && same(old, next)) return false;
    entry.containers.set(container.id, next);
    this.#byId.set(container.id, entry);
    entry.view = undefined;
    return true;
  }

  /** Note that an id is gone. Returns the pod it belonged to. */
  remove(id: string): string | undefined {
    this.#gone.add(id);
    if (this.#gone.size > 4096) this.#gone.delete(this.#gone.values().next().value as string);
    const entry = this.#byId.get(id);
    if (!entry) return undefined;
    this.#byId.delete(id);
    entry.containers.delete(id);
    entry.sandboxes.delete(id);
    entry.view = undefined;
    if (entry.containers.size === 0 && entry.sandboxes.size === 0) this.#pods.delete(entry.uid);
    return entry.uid;
  }

  /** The pod and container an id belongs to. */
  find(id: string): { readonly uid: string; readonly container?: ObservedContainer; readonly sandbox?: ObservedSandbox } | undefined {
    const entry = this.#byId.get(id);
    if (!entry) return undefined;
    const container = entry.containers.get(id);
    if (container) return { uid: entry.uid, container };
    const sandbox = entry.sandboxes.get(id);
    return sandbox ? { uid: entry.uid, sandbox } : undefined;
  }

  /** Every id known now. */
  ids(): string[] {
    return [...this.#byId.keys()];
  }

  #entry(pod: { uid: string; name: string; namespace: string }): Entry {
    let entry = this.#pods.get(pod.uid);
    if (!entry) {
      entry = { ...pod, sandboxes: new Map(), containers: new Map() };
      this.#pods.set(pod.uid, entry);
    }
    return entry;
  }
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
