import type { StoredObject } from './stored-object.js';

/**
 * The objects of one namespace. Adding and removing cost O(1); the sorted view is brought up to date when somebody lists,
 * in time proportional to the objects listed plus what changed.
 */
export class SortedBucket {
  readonly #byName = new Map<string, StoredObject>();
  #sorted: StoredObject[] = [];
  /** Names added since the view was made; sorting them is the only sorting done. */
  #added = new Set<string>();
  #stale = false;

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): StoredObject | undefined {
    return this.#byName.get(name);
  }

  set(object: StoredObject): void {
    if (!this.#byName.has(object.name)) this.#added.add(object.name);
    this.#byName.set(object.name, object);
    this.#stale = true;
  }

  delete(name: string): void {
    if (!this.#byName.delete(name)) return;
    this.#added.delete(name);
    this.#stale = true;
  }

  values(): IterableIterator<StoredObject> {
    return this.#byName.values();
  }

  /** All objects by name. The array is replaced, never changed: holding it is holding a snapshot. */
  sorted(): readonly StoredObject[] {
    if (!this.#stale) return this.#sorted;
    const added = [...this.#added].sort(compareNames);
    const out: StoredObject[] = [];
    let next = 0;
    for (const old of this.#sorted) {
      // A name that went and came again is in `added` as well: the old place is skipped.
      if (this.#added.has(old.name)) continue;
      const current = this.#byName.get(old.name);
      if (!current) continue;
      while (next < added.length && (added[next] as string) < old.name) out.push(this.#byName.get(added[next++] as string) as StoredObject);
      out.push(current);
    }
    while (next < added.length) out.push(this.#byName.get(added[next++] as string) as StoredObject);
    this.#sorted = out;
    this.#added = new Set();
    this.#stale = false;
    return out;
  }
}

export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Index of the first element whose name is not before `name`. */
export function lowerBound(objects: readonly StoredObject[], name: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((objects[middle] as StoredObject).name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
