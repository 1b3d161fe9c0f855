import type { Status } from '@coxswain/apimachinery';
import type { EventType } from '../storage/resource-cache.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WatchEncoder } from '../storage/watch-groups.js';
import type { ObjectCodec } from './object-codec.js';

const PREFIX: Readonly<Record<EventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const CLOSE = 0x7d;
const NEWLINE = 0x0a;

/** `{"type":…,"object":<cached bytes>}` on one line. `bytes` ends in a newline. */
export function eventFrame(type: EventType, bytes: Buffer): Buffer {
  const prefix = PREFIX[type];
  const out = Buffer.allocUnsafe(prefix.length + bytes.length + 1);
  out.set(prefix, 0);
  out.set(bytes, prefix.length);
  out[out.length - 2] = CLOSE;
  out[out.length - 1] = NEWLINE;
  return out;
}

export function bookmarkFrame(kind: string, apiVersion: string, revision: number, annotations?: Readonly<Record<string, string>>): Buffer {
  const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) };
  return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: { kind, apiVersion, metadata } })}\n`);
}

/** An error at the end of a stream of events. */
export function errorFrame(status: Status): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
}

/** Objects as they are, for watchers in this process. */
export function decodedWatchEncoder(codec: ObjectCodec): WatchEncoder {
  const { kind } = codec.definition;
  return {
    id: `decoded:${codec.apiVersion}/${kind}`,
    inProcess: true,
    encode: (type, object) => ({ type, object: codec.object(object) }),
    bookmark: (revision, annotations) => ({
      type: 'BOOKMARK',
      object: { kind, apiVersion: codec.apiVersion, metadata: { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) } },
    }),
    error: (status) => ({ type: 'ERROR', object: status }),
  };
}

/** Whole objects as this version serves them. */
export function objectWatchEncoder(codec: ObjectCodec): WatchEncoder {
  const { kind } = codec.definition;
  return {
    id: `object:${codec.apiVersion}/${kind}`,
    encode: (type, object) => eventFrame(type, codec.bytes(object)),
    bookmark: (revision, annotations) => bookmarkFrame(kind, codec.apiVersion, revision, annotations),
    error: errorFrame,
  };
}

/** Objects in another shape (metadata only, a table row), encoded by a function. */
export function shapedWatchEncoder(id: string, shape: (object: StoredObject) => unknown, bookmark: (revision: number) => unknown): WatchEncoder {
  return {
    id,
    encode: (type, object) => Buffer.from(`${JSON.stringify({ type, object: shape(object) })}\n`),
    bookmark(revision, annotations) {
      const object = bookmark(revision) as { metadata: Record<string, unknown> };
      if (annotations) object.metadata = { ...object.metadata, annotations };
      return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    },
    error: errorFrame,
  };
}
