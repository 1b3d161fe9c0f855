/** Reads the protobuf wire format. Throws for text that is cut off or not protobuf at all. */
export class WireReader {
  #at = 0;

  constructor(readonly bytes: Buffer) {}

  get done(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly type: number } {
    const tag = Number(this.varint());
    return { field: tag >>> 3, type: tag & 7 };
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) throw new Error('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('integer overflow');
  }

  /** Two's complement, as protobuf writes negative numbers. */
  integer(): number {
    return Number(BigInt.asIntN(64, this.varint()));
  }

  double(): number {
    const value = this.bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Not a copy. */
  chunk(): Buffer {
    const length = Number(this.varint());
    const end = this.#at + length;
    if (end > this.bytes.length) throw new Error('unexpected EOF');
    const chunk = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return chunk;
  }

  skip(type: number): void {
    switch (type) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#at += 8;
        break;
      case 2:
        this.chunk();
        return;
      case 5:
        this.#at += 4;
        break;
      default:
        throw new Error(`illegal wireType ${type}`);
    }
    if (this.#at > this.bytes.length) throw new Error('unexpected EOF');
  }
}
