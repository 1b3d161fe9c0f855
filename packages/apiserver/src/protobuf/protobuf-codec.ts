import type { JsonObject, KubeObject, SchemaLookup, StructSchema } from '@coxswain/api';
import { encodeMessage } from '@coxswain/api';
import type { ListMeta } from '../registry/list-encoder.js';
import type { ObjectCodec } from '../registry/object-codec.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WatchEncoder } from '../storage/watch-groups.js';
import { encodeKind } from './kinds.js';
import { envelope, eventFrame, field, header, inEnvelope, ITEMS, METADATA } from './pieces.js';

const LIST_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Objects in one shape as protobuf. A message is made once per revision, and only when somebody wants it. */
export class ProtobufCodec {
  readonly watchEncoder: WatchEncoder;

  private constructor(
    readonly apiVersion: string,
    readonly kind: string,
    readonly listKind: string,
    readonly id: string,
    private readonly encode: (object: KubeObject) => Uint8Array,
    private readonly source: ObjectCodec,
  ) {
    this.watchEncoder = {
      id,
      encode: (type, stored) => eventFrame(type, this.bytes(stored)),
      bookmark: (revision, annotations) => {
        const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) };
        return eventFrame('BOOKMARK', inEnvelope(apiVersion, kind, encode({ apiVersion, kind, metadata } as KubeObject)));
      },
      error: (status) => eventFrame('ERROR', encodeKind(status) ?? encode({ apiVersion, kind, metadata: {} } as KubeObject)),
    };
  }

  /** Undefined when the type has no protobuf form. `message`: of kinds that no table describes. */
  static whole(codec: ObjectCodec, lookup: SchemaLookup, message?: StructSchema): ProtobufCodec | undefined {
    const { kind, listKind } = codec.definition;
    const schema = message ?? codec.definition.schema;
    const plain = Object.entries((typeof schema === 'string' ? lookup(schema) : schema).fields).filter(([name]) => name !== 'apiVersion' && name !== 'kind');
    if (plain.length === 0 || plain.some(([, { proto }]) => proto === undefined)) return undefined;
    const encode = (object: KubeObject) => encodeMessage(object as JsonObject, schema, lookup);
    return new ProtobufCodec(codec.apiVersion, kind, listKind, `protobuf:${codec.apiVersion}/${kind}`, encode, codec);
  }

  /** Only metadata: every object has that form. */
  static partial(codec: ObjectCodec, version: string): ProtobufCodec {
    const encode = (object: KubeObject) => field(METADATA, encodeMessage((object.metadata ?? {}) as JsonObject, OBJECT_META));
    const id = `protobuf-partial:${version}:${codec.apiVersion}/${codec.definition.kind}`;
    return new ProtobufCodec(`meta.k8s.io/${version}`, 'PartialObjectMetadata', 'PartialObjectMetadataList', id, encode, codec);
  }

  /** With the envelope. */
  bytes(stored: StoredObject): Buffer {
    return inEnvelope(this.apiVersion, this.kind, this.#message(stored));
  }

  object(object: KubeObject): Buffer {
    return inEnvelope(this.apiVersion, this.kind, this.encode(object));
  }

  list(objects: readonly StoredObject[], metadata: ListMeta): Buffer {
    const parts: Uint8Array[] = [field(METADATA, encodeMessage(metadata as unknown as JsonObject, LIST_META))];
    for (const stored of objects) {
      const message = this.#message(stored);
      parts.push(header(ITEMS, message.length), message);
    }
    const { head, tail } = envelope(
      this.apiVersion,
      this.listKind,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    return Buffer.concat([head, ...parts, tail]);
  }

  #message(stored: StoredObject): Buffer {
    // What the writer returns is a part of a larger buffer, which must not be kept.
    return stored.encoded(this, () => Buffer.from(this.encode(this.source.object(stored))));
  }
}
