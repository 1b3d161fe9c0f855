import { asPrefix, commonPrefix, contains } from './key-range.js';
import type { KeyRange } from './types.js';

interface Ranged {
  readonly range: KeyRange;
}

interface Bucket<W> {
  /** Their range is all keys with the bucket's prefix. */
  readonly whole: Set<W>;
  /** Their range lies within the bucket: each must be asked. */
  readonly part: Set<W>;
}

/**
 * Finds the watchers of a key. Watchers stand in buckets by exact key or by the longest prefix common to their range,
 * so a look-up costs one hash probe per distinct prefix length plus the watchers found: not the watchers there are.
 */
export class WatchIndex<W extends Ranged> {
  readonly #exact = new Map<string, Set<W>>();
  readonly #buckets = new Map<string, Bucket<W>>();
  /** Prefix length → number of buckets with that length, ascending. */
  #lengths: { readonly length: number; buckets: number }[] = [];

  add(watcher: W): void {
    if (watcher.range.end === undefined) {
      const set = this.#exact.get(watcher.range.key);
      if (set) set.add(watcher);
      else this.#exact.set(watcher.range.key, new Set([watcher]));
      return;
    }
    const prefix = commonPrefix(watcher.range);
    let bucket = this.#buckets.get(prefix);
    if (!bucket) {
      bucket = { whole: new Set(), part: new Set() };
      this.#buckets.set(prefix, bucket);
      this.#countLength(prefix.length, 1);
    }
    (asPrefix(watcher.range) === undefined ? bucket.part : bucket.whole).add(watcher);
  }

  delete(watcher: W): void {
    if (watcher.range.end === undefined) {
      const set = this.#exact.get(watcher.range.key);
      if (set?.delete(watcher) && set.size === 0) this.#exact.delete(watcher.range.key);
      return;
    }
    const prefix = commonPrefix(watcher.range);
    const bucket = this.#buckets.get(prefix);
    if (!bucket) return;
    bucket.part.delete(watcher);
    bucket.whole.delete(watcher);
    if (bucket.part.size + bucket.whole.size > 0) return;
    this.#buckets.delete(prefix);
    this.#countLength(prefix.length, -1);
  }

  forEach(key: string, visit: (watcher: W) => void): void {
    const exact = this.#exact.get(key);
    if (exact) for (const watcher of exact) visit(watcher);
    for (const { length } of this.#lengths) {
      if (length > key.length) break;
      const bucket = this.#buckets.get(key.slice(0, length));
      if (!bucket) continue;
      for (const watcher of bucket.whole) visit(watcher);
      for (const watcher of bucket.part) if (contains(watcher.range, key)) visit(watcher);
    }
  }

  #countLength(length: number, by: 1 | -1): void {
    const entry = this.#lengths.find((l) => l.length === length);
    if (entry) entry.buckets += by;
    else this.#lengths.push({ length, buckets: by });
    this.#lengths = this.#lengths.filter((l) => l.buckets > 0).sort((a, b) => a.length - b.length);
  }
}
