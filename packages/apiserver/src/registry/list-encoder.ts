import type { StoredObject } from '../storage/stored-object.js';
import type { ObjectCodec } from './object-codec.js';

const COMMA = 0x2c;
const TAIL = Buffer.from(']}\n');

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** A list, by copying the cached bytes of its items one after the other. */
export function encodeList(codec: ObjectCodec, objects: readonly StoredObject[], metadata: ListMeta): Buffer {
  const { listKind } = codec.definition;
  const head = Buffer.from(
    `{"kind":${JSON.stringify(listKind)},"apiVersion":${JSON.stringify(codec.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`,
  );
  let total = head.length + TAIL.length;
  const parts = new Array<Buffer>(objects.length);
  for (let i = 0; i < objects.length; i++) {
    const bytes = codec.bytes(objects[i] as StoredObject);
    parts[i] = bytes;
    total += bytes.length;
  }
  // Each part ends in a newline, which becomes the comma; the last one's is overwritten by the tail.
  if (parts.length > 0) total--;
  const out = Buffer.allocUnsafeSlow(total);
  out.set(head, 0);
  let at = head.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
    out[at - 1] = COMMA;
  }
  out.set(TAIL, parts.length > 0 ? at - 1 : at);
  return out;
}
