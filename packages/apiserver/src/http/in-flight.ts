const READ_VERBS = new Set(['get', 'list', 'watch', 'head', 'options']);

/** Upstream's two limits: requests that read, and requests that change something. 0: no limit. */
export class InFlight {
  #reading = 0;
  #writing = 0;

  constructor(
    readonly maxReading: number,
    readonly maxWriting: number,
  ) {}

  get counts(): { readonly readOnly: number; readonly mutating: number } {
    return { readOnly: this.#reading, mutating: this.#writing };
  }

  enter(verb: string): boolean {
    if (READ_VERBS.has(verb)) {
      if (this.maxReading > 0 && this.#reading >= this.maxReading) return false;
      this.#reading++;
    } else {
      if (this.maxWriting > 0 && this.#writing >= this.maxWriting) return false;
      this.#writing++;
    }
    return true;
  }

  leave(verb: string): void {
    if (READ_VERBS.has(verb)) this.#reading--;
    else this.#writing--;
  }
}
