import type { Version } from './key-index.js';

/** Keeps recently written and read values in memory, up to a number of bytes; first in, first out. */
export class ValueCache {
  #queue: Version[] = [];
  #head = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(readonly limitBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Account for a version whose `kv` was just set. */
  admit(version: Version): void {
    this.#queue.push(version);
    this.#bytes += cost(version);
    while (this.#bytes > this.limitBytes && this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head++] as Version;
      if (!oldest.kv) this.#dropped--;
      this.#release(oldest);
    }
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) this.#trim();
  }

  /** The version has been compacted away. */
  drop(version: Version): void {
    if (!version.kv) return;
    this.#release(version);
    this.#dropped++;
    if (this.#dropped > 1024 && this.#dropped * 2 > this.#queue.length - this.#head) this.#trim();
  }

  #release(version: Version): void {
    this.#bytes -= cost(version);
    version.kv = undefined;
  }

  #trim(): void {
    this.#queue = this.#queue.slice(this.#head).filter((v) => v.kv);
    this.#head = 0;
    this.#dropped = 0;
  }
}

// 200: the objects around the value, so that many tiny values are bounded too.
function cost(version: Version): number {
  return version.kv ? version.kv.value.length + 200 : 0;
}
