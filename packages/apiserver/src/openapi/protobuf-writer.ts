const WIRE_VARINT = 0;
const WIRE_64BIT = 1;
const WIRE_BYTES = 2;

/** Appends protobuf fields to a growing buffer. Default values are not written, as proto3 has it. */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;

  string(field: number, value: string | undefined): void {
    if (value !== undefined && value !== '') this.oneofString(field, value);
  }

  /** Written also when it is the default: a member of a oneof says by its presence which one it is. */
  oneofString(field: number, value: string): void {
    const size = Buffer.byteLength(value);
    this.#tag(field, WIRE_BYTES);
    this.#varint(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(value, this.#length);
  }

  bytes(field: number, value: Uint8Array | undefined): void {
    if (!value || value.length === 0) return;
    this.#tag(field, WIRE_BYTES);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, WIRE_64BIT);
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length);
  }

  boolean(field: number, value: boolean | undefined): void {
    if (value) this.oneofBoolean(field, value);
  }

  oneofBoolean(field: number, value: boolean): void {
    this.#tag(field, WIRE_VARINT);
    this.#varint(value ? 1 : 0);
  }

  /** Not negative. */
  integer(field: number, value: number | undefined): void {
    if (!value || value < 0) return;
    this.#tag(field, WIRE_VARINT);
    this.#varint(value);
  }

  double(field: number, value: number | undefined): void {
    if (value) this.oneofDouble(field, value);
  }

  oneofDouble(field: number, value: number): void {
    this.#tag(field, WIRE_64BIT);
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** A message, also when it is empty: being there says something. */
  message(field: number, write: () => void): void {
    this.#tag(field, WIRE_BYTES);
    const at = this.#length;
    write();
    // The length goes before what has just been written, which makes room for it.
    const size = this.#length - at;
    const prefix = varintSize(size);
    this.#reserve(prefix);
    this.#buffer.copyWithin(at + prefix, at, this.#length);
    this.#length = at;
    this.#varint(size);
    this.#length = at + prefix + size;
  }

  /** What has been written; the writer must not be used any more. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}
