/** Protobuf wire types used by the API. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Appends wire-format fields to a growing buffer. */
export class Writer {
  private buffer = Buffer.allocUnsafe(512);
  private length = 0;

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  varint(value: number): void {
    this.reserve(10);
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      this.bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  private bigVarint(value: bigint): void {
    let rest = value;
    while (rest > 0x7fn) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  double(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  text(number: number, value: string): void {
    this.tag(number, BYTES);
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.reserve(size);
    this.length += this.buffer.write(value, this.length);
  }

  bytes(number: number, value: Uint8Array): void {
    this.tag(number, BYTES);
    this.varint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  /** A nested message; its length is put in front once it is written. */
  message(number: number, write: () => void): void {
    this.tag(number, BYTES);
    const start = this.length;
    write();
    const size = this.length - start;
    const prefix = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5;
    this.reserve(prefix);
    this.buffer.copyWithin(start + prefix, start, this.length);
    this.length = start;
    this.varint(size);
    this.length += size;
  }

  private reserve(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + size));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/** The bytes are no valid message. */
export class WireError extends Error {}

/** Reads wire-format fields. */
export class Reader {
  private position = 0;
  private readonly buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.position >= this.buffer.length;
  }

  tag(): { readonly number: number; readonly wireType: number } {
    const value = this.varint();
    const number = Math.floor(value / 8);
    if (number === 0) throw new WireError('illegal field number 0');
    return { number, wireType: value % 8 };
  }

  /** As a signed 64-bit number. */
  varint(): number {
    let result = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      if (count >= 7) return this.longVarint(result, count, byte);
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result;
      scale *= 128;
    }
    throw new WireError('varint overflow');
  }

  private longVarint(low: number, count: number, first: number): number {
    let result = BigInt(low);
    let byte = first;
    for (let index = count; ; index++) {
      if (index >= 10) throw new WireError('varint overflow');
      result |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return Number(BigInt.asIntN(64, result));
      byte = this.byte();
    }
  }

  double(): number {
    this.need(8);
    this.position += 8;
    return this.buffer.readDoubleLE(this.position - 8);
  }

  bytes(): Buffer {
    const size = this.varint();
    if (size < 0) throw new WireError('negative length');
    this.need(size);
    this.position += size;
    return this.buffer.subarray(this.position - size, this.position);
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === FIXED64) this.double();
    else if (wireType === BYTES) this.bytes();
    else if (wireType === FIXED32) {
      this.need(4);
      this.position += 4;
    } else throw new WireError(`illegal wire type ${wireType}`);
  }

  private byte(): number {
    this.need(1);
    return this.buffer[this.position++] as number;
  }

  private need(size: number): void {
    if (this.position + size > this.buffer.length) throw new WireError('unexpected EOF');
  }
}
