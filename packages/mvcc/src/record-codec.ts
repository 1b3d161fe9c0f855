/*
 * Record layout, little-endian:
 *   u8  kind (1 put, 2 delete)
 *   u8  reserved, 0
 *   u16 0
 *   u32 key length in bytes
 *   f64 create revision, f64 version, f64 lease      (exact for integers up to 2^53)
 *   key (UTF-8), value
 */
const HEADER = 32;
const PUT = 1;
const DELETE = 2;

export interface RecordHeader {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: number;
  /** Where the value starts in the record. */
  readonly valueOffset: number;
}

export function encodePut(key: string, createRevision: number, version: number, lease: number, value: Uint8Array): Buffer {
  const keyLength = Buffer.byteLength(key);
  const out = Buffer.allocUnsafeSlow(HEADER + keyLength + value.length);
  writeHeader(out, PUT, keyLength, createRevision, version, lease);
  out.write(key, HEADER);
  out.set(value, HEADER + keyLength);
  return out;
}

export function encodeDelete(key: string): Buffer {
  const keyLength = Buffer.byteLength(key);
  const out = Buffer.allocUnsafeSlow(HEADER + keyLength);
  writeHeader(out, DELETE, keyLength, 0, 0, 0);
  out.write(key, HEADER);
  return out;
}

function writeHeader(out: Buffer, kind: number, keyLength: number, create: number, version: number, lease: number): void {
  out.writeUInt32LE(kind, 0);
  out.writeUInt32LE(keyLength, 4);
  out.writeDoubleLE(create, 8);
  out.writeDoubleLE(version, 16);
  out.writeDoubleLE(lease, 24);
}

/** Throws RangeError on bytes that are not a record. */
export function decodeHeader(bytes: Uint8Array): RecordHeader {
  const buf = asBuffer(bytes);
  if (buf.length < HEADER) throw new RangeError(`a record of ${buf.length} bytes is too short`);
  const kind = buf.readUInt32LE(0);
  const keyLength = buf.readUInt32LE(4);
  if ((kind !== PUT && kind !== DELETE) || HEADER + keyLength > buf.length) throw new RangeError('not a record');
  return {
    kind: kind === PUT ? 'put' : 'delete',
    key: buf.toString('utf8', HEADER, HEADER + keyLength),
    createRevision: buf.readDoubleLE(8),
    version: buf.readDoubleLE(16),
    lease: buf.readDoubleLE(24),
    valueOffset: HEADER + keyLength,
  };
}

/** The value of a record, as a view on its bytes. */
export function recordValue(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(HEADER + asBuffer(bytes).readUInt32LE(4));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
