/** A binary heap whose items are found again by key, so that any of them can be replaced or removed in O(log n). */
export class KeyedHeap<T> {
  readonly #items: T[] = [];
  readonly #index = new Map<string, number>();

  constructor(
    readonly keyOf: (item: T) => string,
    readonly less: (a: T, b: T) => boolean,
  ) {}

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  get(key: string): T | undefined {
    const i = this.#index.get(key);
    return i === undefined ? undefined : this.#items[i];
  }

  values(): readonly T[] {
    return this.#items;
  }

  /** Insert, or replace the item of the same key. */
  push(item: T): void {
    const key = this.keyOf(item);
    const at = this.#index.get(key);
    if (at === undefined) {
      this.#items.push(item);
      this.#index.set(key, this.#items.length - 1);
      this.#up(this.#items.length - 1);
    } else {
      this.#items[at] = item;
      this.#down(this.#up(at));
    }
  }

  pop(): T | undefined {
    const top = this.#items[0];
    if (top !== undefined) this.delete(this.keyOf(top));
    return top;
  }

  delete(key: string): T | undefined {
    const at = this.#index.get(key);
    if (at === undefined) return undefined;
    const item = this.#items[at] as T;
    const last = this.#items.pop() as T;
    this.#index.delete(key);
    if (at < this.#items.length) {
      this.#items[at] = last;
      this.#index.set(this.keyOf(last), at);
      this.#down(this.#up(at));
    }
    return item;
  }

  #up(at: number): number {
    let i = at;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.less(this.#items[i] as T, this.#items[parent] as T)) break;
      this.#swap(i, parent);
      i = parent;
    }
    return i;
  }

  #down(at: number): void {
    let i = at;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.#items.length) return;
      if (child + 1 < this.#items.length && this.less(this.#items[child + 1] as T, this.#items[child] as T)) child++;
      if (!this.less(this.#items[child] as T, this.#items[i] as T)) return;
      this.#swap(i, child);
      i = child;
    }
  }

  #swap(i: number, j: number): void {
    const a = this.#items[i] as T;
    const b = this.#items[j] as T;
    this.#items[i] = b;
    this.#items[j] = a;
    this.#index.set(this.keyOf(b), i);
    this.#index.set(this.keyOf(a), j);
  }
}
