/** A netlink attribute: raw bytes, or nested attributes. */
export type Attribute = readonly [type: number, value: Uint8Array | readonly Attribute[]];

const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const align = (n: number) => (n + 3) & ~3;

export function u8(n: number): Buffer {
  return Buffer.from([n]);
}
export function u16be(n: number): Buffer {
  const b = Buffer.alloc(2);
  b.writeUInt16BE(n);
  return b;
}
export function u32(n: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n >>> 0);
  return b;
}
export function text(s: string): Buffer {
  return Buffer.from(`${s}\0`, 'utf8');
}

export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  const parts: Buffer[] = [];
  for (const [type, value] of attributes) {
    const nested = !(value instanceof Uint8Array);
    const body = nested ? encodeAttributes(value) : value;
    const part = Buffer.alloc(align(4 + body.length));
    part.writeUInt16LE(4 + body.length, 0);
    part.writeUInt16LE(nested ? type | NLA_F_NESTED : type, 2);
    part.set(body, 4);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function decodeAttributes(bytes: Uint8Array): Map<number, Buffer> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= buffer.length; ) {
    const length = buffer.readUInt16LE(at);
    if (length < 4) break;
    out.set(buffer.readUInt16LE(at + 2) & NLA_TYPE_MASK, buffer.subarray(at + 4, at + length));
    at += align(length);
  }
  return out;
}

let sequence = 0;

/** One netlink message: header, fixed part, attributes. */
export function encodeMessage(type: number, flags: number, fixed: Uint8Array, attributes: readonly Attribute[] = []): Buffer {
  const attrs = encodeAttributes(attributes);
  const out = Buffer.alloc(16 + align(fixed.length) + attrs.length);
  sequence = (sequence + 1) >>> 0;
  out.writeUInt32LE(out.length, 0);
  out.writeUInt16LE(type, 4);
  out.writeUInt16LE(flags | NLM_F_REQUEST, 6);
  out.writeUInt32LE(sequence, 8);
  out.set(fixed, 16);
  out.set(attrs, 16 + align(fixed.length));
  return out;
}

/** A zero-terminated string attribute. */
export function readText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, '');
}
