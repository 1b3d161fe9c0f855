/** Wire types and field numbers here are those of `runtime.Unknown`, `meta/v1.List…` and `meta/v1.WatchEvent`. */
const MAGIC = Buffer.from('k8s\0');
/** contentEncoding and contentType, which upstream writes although they are empty. */
const TAIL = Buffer.from([0x1a, 0, 0x22, 0]);

export const METADATA = 1;
export const ITEMS = 2;

/** Tag and length of a field of bytes. */
export function header(field: number, length: number): Buffer {
  const bytes = [(field << 3) | 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([header(number, bytes.length), bytes]);
}

/** What goes before and after a message of this many bytes. */
export function envelope(apiVersion: string, kind: string, length: number): { readonly head: Buffer; readonly tail: Buffer } {
  const typeMeta = Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))]);
  return { head: Buffer.concat([MAGIC, field(1, typeMeta), header(2, length)]), tail: TAIL };
}

export function inEnvelope(apiVersion: string, kind: string, message: Uint8Array): Buffer {
  const { head, tail } = envelope(apiVersion, kind, message.length);
  return Buffer.concat([head, message, tail]);
}

/** One watch event as upstream streams it: four bytes of length, then the event around an object in its envelope. */
export function eventFrame(type: string, object: Uint8Array): Buffer {
  const raw = header(1, object.length);
  const about = field(1, Buffer.from(type));
  const wrapped = header(2, raw.length + object.length);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(about.length + wrapped.length + raw.length + object.length);
  return Buffer.concat([length, about, wrapped, raw, object]);
}
