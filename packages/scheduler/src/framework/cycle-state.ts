import type { CycleState } from '@coxswain/sdk';

interface Cloneable {
  clone(): unknown;
}

const isCloneable = (v: unknown): v is Cloneable => typeof (v as Partial<Cloneable> | null)?.clone === 'function';

/** Scratch space of one scheduling attempt; keys are the plugins' own symbols. */
export class MapCycleState implements CycleState {
  readonly #values: Map<symbol, unknown>;

  constructor(values = new Map<symbol, unknown>()) {
    this.#values = values;
  }

  read<T>(key: symbol): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  write<T>(key: symbol, value: T): void {
    this.#values.set(key, value);
  }

  clone(): CycleState {
    const copy = new Map<symbol, unknown>();
    for (const [k, v] of this.#values) copy.set(k, isCloneable(v) ? v.clone() : v);
    return new MapCycleState(copy);
  }
}
