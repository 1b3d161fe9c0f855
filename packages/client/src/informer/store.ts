import type { KubeObject } from '@coxswain/api';
import type { LabelSelector } from '@coxswain/apimachinery';
import { objectKey } from './object-key.js';

/** The values an object is found under. */
export type IndexFunction<T> = (object: T) => readonly string[];

export const NAMESPACE_INDEX = 'namespace';

/** Read access to what an informer has seen. Objects are shared: never change them. */
export interface Lister<T extends KubeObject> {
  get(name: string, namespace?: string): T | undefined;
  getByKey(key: string): T | undefined;
  /** In no particular order. */
  list(options?: { readonly namespace?: string | undefined; readonly selector?: LabelSelector | undefined }): T[];
  byIndex(index: string, value: string): T[];
  indexValues(index: string): string[];
  keys(): IterableIterator<string>;
  readonly size: number;
}

class Index<T> {
  readonly buckets = new Map<string, Map<string, T>>();
  constructor(readonly values: IndexFunction<T>) {}

  set(key: string, object: T): void {
    for (const value of this.values(object)) {
      let bucket = this.buckets.get(value);
      if (!bucket) this.buckets.set(value, (bucket = new Map()));
      bucket.set(key, object);
    }
  }

  /** Most changes leave an object where it was. */
  move(key: string, old: T, object: T): void {
    const before = this.values(old);
    const after = this.values(object);
    if (before.length === after.length && before.every((value, i) => value === after[i])) {
      for (const value of after) this.buckets.get(value)?.set(key, object);
      return;
    }
    this.remove(key, old);
    this.set(key, object);
  }

  remove(key: string, object: T): void {
    for (const value of this.values(object)) {
      const bucket = this.buckets.get(value);
      if (bucket?.delete(key) && bucket.size === 0) this.buckets.delete(value);
    }
  }
}

/** Objects by key, with indexes kept up to date on every change. */
export class ObjectStore<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.addIndex(NAMESPACE_INDEX, (o) => [o.metadata.namespace ?? '']);
    for (const [name, values] of Object.entries(indexes)) this.addIndex(name, values);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Also later: what is there is indexed. The same name twice keeps the first. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index = new Index(values);
    for (const [key, object] of this.#objects) index.set(key, object);
    this.#indexes.set(name, index);
  }

  set(object: T): T | undefined {
    const key = objectKey(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (old) index.move(key, old, object);
      else index.set(key, object);
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (!old) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.remove(key, old);
    return old;
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(namespace ? `${namespace}/${name}` : name);
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list({ namespace, selector }: { readonly namespace?: string | undefined; readonly selector?: LabelSelector | undefined } = {}): T[] {
    const all = namespace ? this.byIndex(NAMESPACE_INDEX, namespace) : [...this.#objects.values()];
    return !selector || selector.isEmpty ? all : all.filter((o) => selector.matches(o.metadata.labels));
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`index "${index}" does not exist`);
    const bucket = found.buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  }

  indexValues(index: string): string[] {
    return [...(this.#indexes.get(index)?.buckets.keys() ?? [])];
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }
}
