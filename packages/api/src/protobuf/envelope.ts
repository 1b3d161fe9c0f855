import type { KubeObject } from '../definition.js';
import type { JsonObject, SchemaLookup } from '../schema.js';
import { encodeMessage } from './encode.js';
import { Reader, WireError, Writer } from './wire.js';

/** The content type of objects in this form. */
export const PROTOBUF_CONTENT_TYPE = 'application/vnd.kubernetes.protobuf';

/** `k8s` and a zero byte. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export const hasMagic = (bytes: Uint8Array): boolean => MAGIC.every((byte, index) => bytes[index] === byte);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The bare message. */
  readonly raw: Uint8Array;
}

/** Takes magic and envelope off. Throws WireError. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (!hasMagic(bytes)) throw new WireError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const reader = new Reader(bytes.subarray(MAGIC.length));
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) {
      const meta = new Reader(reader.bytes());
      while (!meta.done) {
        const tag = meta.tag();
        if (tag.number === 1) apiVersion = meta.bytes().toString();
        else if (tag.number === 2) kind = meta.bytes().toString();
        else meta.skip(tag.wireType);
      }
    } else if (number === 2) raw = reader.bytes();
    else reader.skip(wireType);
  }
  return { apiVersion, kind, raw };
}

/** Puts magic and envelope around a message. */
export function encodeEnvelope({ apiVersion, kind, raw }: Envelope): Uint8Array {
  const writer = new Writer();
  writer.message(1, () => {
    writer.text(1, apiVersion);
    writer.text(2, kind);
  });
  writer.bytes(2, raw);
  writer.text(3, '');
  writer.text(4, '');
  return Buffer.concat([MAGIC, writer.finish()]);
}

/** A whole object with its envelope. */
export function encodeObject(object: KubeObject, schema: string, lookup?: SchemaLookup): Uint8Array {
  const raw = encodeMessage(object as JsonObject, schema, lookup);
  return encodeEnvelope({ apiVersion: object.apiVersion, kind: object.kind, raw });
}
