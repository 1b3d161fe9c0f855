import type { DecodeResult, KubeObject, ResourceDefinition, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import type { GroupResource } from '@coxswain/apimachinery';
import type { ObjectSource } from '../storage/object-source.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WatchEncoder } from '../storage/watch-groups.js';
import type { CustomOpenApi } from './custom-open-api.js';
import type { CustomMessage } from '../protobuf/kinds.js';
import { ProtobufCodec } from '../protobuf/protobuf-codec.js';
import { ObjectCodec } from './object-codec.js';
import type { VersionConverter } from './version-converter.js';
import { decodedWatchEncoder, objectWatchEncoder } from './watch-encoders.js';

/** As `decode`: changes `object`. Sparse: a configuration to apply, which stays as it came. */
export type ShapeCheck = (object: KubeObject, sparse: boolean) => DecodeResult;

/** One row of the table, ready to serve. */
export class ServedResource {
  readonly codec: ObjectCodec;
  readonly watchEncoder: WatchEncoder;
  readonly decodedEncoder: WatchEncoder;
  readonly groupResource: GroupResource;
  /** `pods`, `deployments.apps`. */
  readonly name: string;
  readonly #partial = new Map<string, ProtobufCodec>();
  readonly #inline: boolean;
  #protobuf: { readonly codec: ProtobufCodec | undefined } | undefined;
  readonly schema: TypeSchema;
  /** An object of this version in another served version; set when there are several that differ. */
  siblings: ((object: KubeObject, apiVersion: string) => { object: KubeObject; schema: TypeSchema } | undefined) | undefined;

  constructor(
    readonly definition: ResourceDefinition,
    /** Undefined for virtual resources. */
    readonly storage: ResourceStorage | undefined,
    readonly lookup: SchemaLookup,
    /** CRDs bring theirs inline. */
    schema?: TypeSchema,
    readonly openApi?: CustomOpenApi,
    /** Holds an object to its type in a way of its own: drops and names what nobody knows. */
    readonly shape?: ShapeCheck,
    /** Versions are converted by somebody else, which takes time. */
    readonly converter?: VersionConverter,
    /** Objects are read by asking somebody, not from the cache of `storage`. */
    readonly source?: ObjectSource,
    /** What objects are as protobuf, where `lookup` does not know: kinds of custom API servers. */
    readonly message?: StructSchema,
  ) {
    this.codec = new ObjectCodec(definition, converter);
    this.watchEncoder = objectWatchEncoder(this.codec);
    this.decodedEncoder = decodedWatchEncoder(this.codec);
    this.groupResource = { group: definition.group, resource: definition.resource };
    this.name = definition.group === '' ? definition.resource : `${definition.resource}.${definition.group}`;
    this.schema = schema ?? { kind: 'ref', name: definition.schema };
    this.#inline = schema !== undefined;
  }

  /** Undefined for types without a protobuf form (custom resources). Made when somebody asks: most types are only ever spoken of in JSON. */
  get protobuf(): ProtobufCodec | undefined {
    this.#protobuf ??= { codec: this.#inline && !this.message ? undefined : ProtobufCodec.whole(this.codec, this.lookup, this.message) };
    return this.#protobuf.codec;
  }

  /** Makes these readable through the codec; undefined: they are. Rejects with an ApiError. */
  readable(stored: readonly StoredObject[]): Promise<void> | undefined {
    return this.converter?.prepare(stored);
  }

  /** An object of this version as it is to be stored. */
  toStorage(object: KubeObject): KubeObject | Promise<KubeObject> {
    return this.converter ? this.converter.toStorage(object) : this.codec.toStorage(object);
  }

  get customMessage(): CustomMessage | undefined {
    return this.message && { apiVersion: this.codec.apiVersion, kind: this.definition.kind, message: this.message };
  }

  /** The metadata of objects as protobuf. */
  partialProtobuf(version: string): ProtobufCodec {
    let codec = this.#partial.get(version);
    if (!codec) this.#partial.set(version, (codec = ProtobufCodec.partial(this.codec, version)));
    return codec;
  }
}
