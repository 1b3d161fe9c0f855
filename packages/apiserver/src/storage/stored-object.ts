import type { KubeObject } from '@coxswain/api';

const NEWLINE = 0x0a;
const METADATA = Buffer.from('"metadata":{');
/** Objects are written with kind, apiVersion and metadata first, so the splice point lies near the beginning. */
const SEARCH_WINDOW = 512;

/**
 * One revision of one object: its one JSON encoding as clients see it (with resourceVersion, ending in a newline) and, on
 * demand, its parsed form. Both are shared by every reader and must not be changed.
 */
export class StoredObject {
  #object: KubeObject | undefined;
  #bytes: Buffer | undefined;
  #stored: Uint8Array | undefined;
  /** Encodings of other served versions, by whoever made them. */
  #others: Map<object, Buffer> | undefined;
  /** Of what the store holds, in bytes; 0 when no store of ours does. */
  readonly size: number;

  private constructor(
    /** '' for cluster-scoped objects. */
    readonly namespace: string,
    readonly name: string,
    readonly revision: number,
    stored: Uint8Array | undefined,
    object: KubeObject | undefined,
  ) {
    this.#stored = stored;
    this.#object = object;
    this.size = stored?.length ?? 0;
  }

  /** From the store: nothing is parsed until somebody asks. */
  static fromStore(namespace: string, name: string, revision: number, stored: Uint8Array): StoredObject {
    return new StoredObject(namespace, name, revision, stored, undefined);
  }

  /** From a write: `object` is handed over and gets its resourceVersion. */
  static fromWrite(namespace: string, name: string, revision: number, stored: Uint8Array, object: KubeObject): StoredObject {
    object.metadata.resourceVersion = String(revision);
    return new StoredObject(namespace, name, revision, stored, object);
  }

  /** Of an object that no store of ours keeps. It is not to be changed any more. */
  static foreign(object: KubeObject): StoredObject {
    const { namespace = '', name = '', resourceVersion = '0' } = object.metadata;
    return new StoredObject(namespace, name, Number(resourceVersion) || 0, undefined, object);
  }

  get object(): KubeObject {
    if (this.#object) return this.#object;
    const object = JSON.parse(Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString()) as KubeObject;
    this.#object = object;
    return object;
  }

  /** The JSON text in the stored version, with resourceVersion and a trailing newline. */
  get bytes(): Buffer {
    if (this.#bytes) return this.#bytes;
    const bytes = this.#stored ? withRevision(this.#stored, this.revision) : encodeObject(this.#object as KubeObject);
    this.#bytes = bytes;
    this.#stored = undefined;
    return bytes;
  }

  /** The encoding `key` stands for, made once. */
  encoded(key: object, encode: (object: KubeObject) => Buffer): Buffer {
    this.#others ??= new Map();
    let bytes = this.#others.get(key);
    if (!bytes) {
      bytes = encode(this.object);
      this.#others.set(key, bytes);
    }
    return bytes;
  }

  /** The same content at another revision: what a DELETED event carries. */
  atRevision(revision: number): StoredObject {
    const object = { ...this.object, metadata: { ...this.object.metadata, resourceVersion: String(revision) } };
    return new StoredObject(this.namespace, this.name, revision, undefined, object);
  }
}

/** The stored text with `resourceVersion` put in front of the other metadata, and a newline at the end. */
function withRevision(stored: Uint8Array, revision: number): Buffer {
  const view = Buffer.from(stored.buffer, stored.byteOffset, Math.min(stored.length, SEARCH_WINDOW));
  const found = view.indexOf(METADATA);
  const at = found + METADATA.length;
  // `"metadata":{` could be part of something else when another program wrote the object: only the plain prefix counts.
  if (found < 0 || stored[at] === 0x7d || !isPlainPrefix(view, found)) {
    const object = JSON.parse(Buffer.from(stored.buffer, stored.byteOffset, stored.length).toString()) as KubeObject;
    object.metadata = { ...object.metadata, resourceVersion: String(revision) };
    return encodeObject(object);
  }
  const splice = `"resourceVersion":"${revision}",`;
  let end = stored.length;
  while (end > 0 && stored[end - 1] === NEWLINE) end--;
  const out = Buffer.allocUnsafe(end + splice.length + 1);
  out.set(stored.subarray(0, at), 0);
  out.write(splice, at, 'latin1');
  out.set(stored.subarray(at, end), at + splice.length);
  out[out.length - 1] = NEWLINE;
  return out;
}

/** True when only scalar members (kind, apiVersion) stand before `found`. */
function isPlainPrefix(view: Buffer, found: number): boolean {
  for (let i = 1; i < found; i++) {
    const c = view[i];
    if (c === 0x7b || c === 0x5b || c === 0x5c) return false;
  }
  return view[0] === 0x7b;
}

/** JSON text ending in a newline. */
export function encodeObject(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/**
 * The text to store: kind, apiVersion, metadata first, without resourceVersion. Status comes last, as upstream writes it, because
 * the members keep the order they have.
 */
export function encodeForStore(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _dropped, selfLink: _gone, ...meta } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: meta, ...rest }));
}
