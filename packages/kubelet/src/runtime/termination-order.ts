import type { Pod } from '@coxswain/api';
import type { Clock } from '@coxswain/sdk';
import { isSidecar } from '../pod/pod-spec.js';

/**
 * In which order the containers of a pod that ends are told to: a sidecar once the containers it serves have ended, which are the
 * ordinary ones and the sidecars after it. Hooks run before a container's turn comes.
 */
export class TerminationOrder {
  readonly #ended = new Map<string, Promise<void>>();
  readonly #end = new Map<string, () => void>();
  readonly #waitsFor = new Map<string, readonly string[]>();

  constructor(
    pod: Pod,
    running: readonly string[],
    private readonly clock: Clock,
  ) {
    for (const name of running) this.#ended.set(name, new Promise((resolve) => this.#end.set(name, resolve)));
    const after = (pod.spec?.containers ?? []).map((c) => c.name);
    for (const container of (pod.spec?.initContainers ?? []).filter(isSidecar).reverse()) {
      this.#waitsFor.set(container.name, [...after]);
      after.push(container.name);
    }
  }

  /** Resolves when it is the container's turn, or its time is up. */
  async turn(name: string, ms: number, signal?: AbortSignal): Promise<void> {
    const before = (this.#waitsFor.get(name) ?? []).flatMap((other) => this.#ended.get(other) ?? []);
    if (before.length === 0) return;
    const done = new AbortController();
    const tooLate = this.clock.sleep(ms, signal ? AbortSignal.any([signal, done.signal]) : done.signal);
    try {
      await Promise.race([Promise.all(before), tooLate]);
    } finally {
      done.abort(new Error('it is its turn'));
      await tooLate.catch(() => {});
    }
  }

  ended(name: string): void {
    this.#end.get(name)?.();
  }
}
