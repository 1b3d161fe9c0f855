import { decode } from '../decode/decode.js';
import { definitions } from '../definitions/definitions.js';
import type { Json, JsonObject, SchemaLookup, StructSchema, TypeSchema } from '../schema.js';
import { lookupSchema } from '../schema-table.js';
import { formatDuration } from '../util/duration.js';
import { decodeEnvelope, hasMagic } from './envelope.js';
import { type AnyShape, JSON_SCHEMA, type Layout, layoutOf, type Slot } from './layout.js';
import { BYTES, Reader, VARINT, WireError } from './wire.js';

/**
 * The JSON form of a bare message. Zero values appear as written; `decode` brings the object into canonical form.
 * Throws WireError. Unknown field numbers are skipped.
 */
export function decodeMessage(bytes: Uint8Array, schema: string | StructSchema, lookup: SchemaLookup = lookupSchema): JsonObject {
  const object: JsonObject = {};
  new Decoder(lookup).struct(new Reader(bytes), layoutOf(typeof schema === 'string' ? lookup(schema) : schema), object);
  return object;
}

const MAX_DEPTH = 200;

class Decoder {
  private depth = 0;

  constructor(private readonly lookup: SchemaLookup) {}

  struct(reader: Reader, layout: Layout, object: JsonObject): void {
    if (++this.depth > MAX_DEPTH) throw new WireError('message is nested too deeply');
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      const slot = layout.byNumber.get(number);
      if (slot === undefined) reader.skip(wireType);
      else if (slot.kind === 'embedded') this.struct(new Reader(reader.bytes()), slot.layout, object);
      else this.field(reader, wireType, slot, object);
    }
    this.depth--;
  }

  private field(reader: Reader, wireType: number, slot: Slot & { kind: 'field' }, object: JsonObject): void {
    const { type, protoWrapped } = slot.schema;
    if (type.kind === 'list') {
      const list = (object[slot.name] ??= []) as Json[];
      if (protoWrapped) this.items(new Reader(reader.bytes()), type.items, slot.shape, list);
      else this.listItem(reader, wireType, type.items, slot.shape, list);
      return;
    }
    if (type.kind === 'map') {
      const map = (object[slot.name] ??= {}) as JsonObject;
      this.entry(new Reader(reader.bytes()), type.values, slot.shape, protoWrapped === true, map);
      return;
    }
    object[slot.name] = this.value(reader, wireType, type, slot.shape);
  }

  /** Numbers may come packed. */
  private listItem(reader: Reader, wireType: number, type: TypeSchema, shape: AnyShape, list: Json[]): void {
    const scalar = type.kind === 'integer' || type.kind === 'boolean';
    if (!scalar || wireType !== BYTES) {
      list.push(this.value(reader, wireType, type, shape));
      return;
    }
    const packed = new Reader(reader.bytes());
    while (!packed.done) list.push(this.value(packed, VARINT, type, shape));
  }

  /** `{ repeated … items = 1 }` */
  private items(reader: Reader, type: TypeSchema, shape: AnyShape, list: Json[]): void {
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) list.push(this.value(reader, wireType, type, shape));
      else reader.skip(wireType);
    }
  }

  private entry(reader: Reader, type: TypeSchema, shape: AnyShape, wrapped: boolean, map: JsonObject): void {
    let key = '';
    let value: Json | undefined;
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) key = reader.bytes().toString();
      else if (number !== 2) reader.skip(wireType);
      else if (wrapped && type.kind === 'list') this.items(new Reader(reader.bytes()), type.items, shape, ((value as Json[]) ??= []));
      else value = this.value(reader, wireType, type, shape);
    }
    map[key] = value ?? null;
  }

  private value(reader: Reader, wireType: number, type: TypeSchema, shape: AnyShape): Json {
    switch (type.kind) {
      case 'string':
        return reader.bytes().toString();
      case 'bytes':
        return reader.bytes().toString('base64');
      case 'boolean':
        return reader.varint() !== 0;
      case 'integer':
        return reader.varint();
      case 'number':
        return reader.double();
      case 'quantity':
        return this.quantity(new Reader(reader.bytes()));
      case 'intOrString':
        return this.intOrString(new Reader(reader.bytes()));
      case 'time':
      case 'microTime':
        return this.time(new Reader(reader.bytes()), type.kind === 'microTime');
      case 'duration':
        return this.duration(new Reader(reader.bytes()));
      case 'ref':
        return this.nested(reader, layoutOf(this.lookup(type.name)));
      case 'struct':
        return this.nested(reader, layoutOf(type));
      case 'any':
        return this.any(new Reader(reader.bytes()), shape);
      default:
        reader.skip(wireType);
        return null;
    }
  }

  private nested(reader: Reader, layout: Layout): Json {
    const object: JsonObject = {};
    this.struct(new Reader(reader.bytes()), layout, object);
    return object;
  }

  private duration(reader: Reader): Json {
    let nanos = 0;
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) nanos = reader.varint();
      else reader.skip(wireType);
    }
    return formatDuration(nanos / 1e6);
  }

  private quantity(reader: Reader): Json {
    let text = '0';
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) text = reader.bytes().toString();
      else reader.skip(wireType);
    }
    return text;
  }

  private intOrString(reader: Reader): Json {
    let isText = false;
    let int = 0;
    let text = '';
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) isText = reader.varint() === 1;
      else if (number === 2) int = reader.varint();
      else if (number === 3) text = reader.bytes().toString();
      else reader.skip(wireType);
    }
    return isText ? text : int;
  }

  /** The zero time is null, as in JSON. */
  private time(reader: Reader, micro: boolean): Json {
    let seconds: number | undefined;
    let nanos = 0;
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) seconds = reader.varint();
      else if (number === 2) nanos = reader.varint();
      else reader.skip(wireType);
    }
    if (seconds === undefined) return null;
    const base = new Date(seconds * 1000).toISOString().slice(0, 19);
    return micro ? `${base}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${base}Z`;
  }

  private any(reader: Reader, shape: AnyShape): Json {
    const schema = (): Json => {
      const object: JsonObject = {};
      this.struct(new Reader(reader.bytes()), layoutOf(this.lookup(JSON_SCHEMA)), object);
      // Nobody else will: to the schema table, what lies here is opaque.
      decode(object, JSON_SCHEMA, { lookup: this.lookup });
      return object;
    };
    let result: Json = null;
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (shape === 'raw' && number === 1) result = raw(reader.bytes());
      else if (shape === 'schemaOrBool' && number === 1) result = reader.varint() !== 0;
      else if (shape === 'schemaOrBool' && number === 2) result = schema();
      else if (shape !== 'raw' && number === 1) result = schema();
      else if (shape === 'schemaOrArray' && number === 2) result = [...(Array.isArray(result) ? result : []), schema()];
      else if (shape === 'schemaOrStrings' && number === 2) result = [...(Array.isArray(result) ? result : []), reader.bytes().toString()];
      else reader.skip(wireType);
    }
    return result;
  }
}

/** A raw extension holds JSON, or another object with its envelope. */
function raw(bytes: Buffer): Json {
  if (bytes.length === 0) return null;
  if (hasMagic(bytes)) return decodeObject(bytes);
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch (error) {
    throw new WireError(`raw extension is not JSON: ${(error as Error).message}`);
  }
}

/**
 * A whole object with its envelope. The kind must be built in, or a list of one, or `schemaOf` must know it.
 * Throws WireError.
 */
export function decodeObject(bytes: Uint8Array, schemaOf: (apiVersion: string, kind: string) => string | StructSchema | undefined = builtInSchema): JsonObject {
  const { apiVersion, kind, raw: body } = decodeEnvelope(bytes);
  const schema = schemaOf(apiVersion, kind);
  if (schema === undefined) throw new WireError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  return { apiVersion, kind, ...decodeMessage(body, schema) };
}

let schemas: Map<string, string> | undefined;

function builtInSchema(apiVersion: string, kind: string): string | undefined {
  if (schemas === undefined) {
    schemas = new Map();
    for (const { group, version, kind: name, listKind, schema } of definitions) {
      const prefix = `${group === '' ? version : `${group}/${version}`} `;
      schemas.set(prefix + name, schema);
      schemas.set(prefix + listKind, `${schema}List`);
    }
  }
  return schemas.get(`${apiVersion} ${kind}`) ?? META[kind];
}

const META: Readonly<Record<string, string>> = {
  DeleteOptions: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  Status: 'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
  Eviction: 'io.k8s.api.policy.v1.Eviction',
  Scale: 'io.k8s.api.autoscaling.v1.Scale',
  TokenRequest: 'io.k8s.api.authentication.v1.TokenRequest',
};
