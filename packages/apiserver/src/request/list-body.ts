const COMMA = 0x2c;
const TAIL = Buffer.from(']}\n');

/**
 * The text of a list, made of the cached bytes of its items while it is sent: it is never in memory as a whole. Each item ends in a
 * newline, in whose place comes what is between items.
 */
export class ListBody {
  readonly length: number;
  #item = -1;
  /** Bytes of the current item (-1: the head) that have been read. */
  #offset = 0;

  /** `head`: up to and including the bracket that opens the items. Neither it nor the items are changed. */
  constructor(
    readonly head: Buffer,
    readonly items: readonly Buffer[],
  ) {
    let length = head.length + TAIL.length - (items.length > 0 ? 1 : 0);
    for (const { length: bytes } of items) length += bytes;
    this.length = length;
  }

  /** Copies what comes next into `target`, as much as fits; returns how many bytes, 0 at the end. */
  read(target: Buffer): number {
    const { items } = this;
    let at = 0;
    while (at < target.length && this.#item <= items.length) {
      const piece = this.#item < 0 ? this.head : (items[this.#item] ?? TAIL);
      const inner = this.#item >= 0 && this.#item < items.length;
      // The last item's newline is left out: the tail has its own.
      const whole = piece.length - (this.#item === items.length - 1 && inner ? 1 : 0);
      const count = Math.min(whole - this.#offset, target.length - at);
      if (count === piece.length) target.set(piece, at);
      else piece.copy(target, at, this.#offset, this.#offset + count);
      at += count;
      this.#offset += count;
      if (this.#offset < whole) break;
      if (inner && this.#item < items.length - 1) target[at - 1] = COMMA;
      this.#item++;
      this.#offset = 0;
    }
    return at;
  }

  /** All of it; only of one that has not been read from. */
  toBuffer(): Buffer {
    const out = Buffer.allocUnsafeSlow(this.length);
    this.read(out);
    return out;
  }
}
