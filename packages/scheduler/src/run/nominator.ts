import type { Pod } from '@coxswain/api';
import { podKey } from '../framework/pod-key.js';

/** Pods that were promised a node by preemption and are not on it yet. */
export class Nominator {
  readonly #byNode = new Map<string, Map<string, Pod>>();
  readonly #nodeOf = new Map<string, string>();

  set(pod: Pod, node: string | undefined): void {
    const key = podKey(pod);
    this.delete(key);
    if (!node) return;
    this.#nodeOf.set(key, node);
    const there = this.#byNode.get(node);
    if (there) there.set(key, pod);
    else this.#byNode.set(node, new Map([[key, pod]]));
  }

  delete(key: string): void {
    const node = this.#nodeOf.get(key);
    if (node === undefined) return;
    this.#nodeOf.delete(key);
    const there = this.#byNode.get(node);
    there?.delete(key);
    if (there?.size === 0) this.#byNode.delete(node);
  }

  nodeOf(key: string): string | undefined {
    return this.#nodeOf.get(key);
  }

  get isEmpty(): boolean {
    return this.#nodeOf.size === 0;
  }

  on(node: string): readonly Pod[] {
    const there = this.#byNode.get(node);
    return there ? [...there.values()] : NOBODY;
  }
}

const NOBODY: readonly Pod[] = [];
