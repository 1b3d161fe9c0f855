import type { FieldSchema, Json, JsonObject, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import { WireReader } from './wire-reader.js';

type Entry =
  | { readonly type: 'field'; readonly name: string; readonly schema: FieldSchema }
  /** An embedded message whose fields are the struct's own in JSON. */
  | { readonly type: 'inline'; readonly fields: Map<number, Entry> };

const MAX_DEPTH = 100;
const layouts = new WeakMap<StructSchema, Map<number, Entry>>();

/** The JSON form of a message of this type. */
export function decodeMessage(bytes: Buffer, schema: StructSchema, lookup: SchemaLookup, depth = 0): JsonObject {
  if (depth > MAX_DEPTH) throw new Error('nested too deep');
  const out: JsonObject = {};
  readFields(bytes, layoutOf(schema), out, lookup, depth);
  return out;
}

function layoutOf(schema: StructSchema): Map<number, Entry> {
  let layout = layouts.get(schema);
  if (layout) return layout;
  layout = new Map();
  for (const [name, field] of Object.entries(schema.fields)) {
    if (field.proto === undefined) continue;
    let fields = layout;
    for (const number of field.protoIn ?? []) {
      let inline = fields.get(number);
      if (inline?.type !== 'inline') fields.set(number, (inline = { type: 'inline', fields: new Map() }));
      fields = inline.fields;
    }
    fields.set(field.proto, { type: 'field', name, schema: field });
  }
  layouts.set(schema, layout);
  return layout;
}

function readFields(bytes: Buffer, fields: Map<number, Entry>, out: JsonObject, lookup: SchemaLookup, depth: number): void {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { field, type } = reader.tag();
    const entry = fields.get(field);
    if (!entry) reader.skip(type);
    else if (entry.type === 'inline') readFields(reader.chunk(), entry.fields, out, lookup, depth + 1);
    else readField(reader, type, entry.name, entry.schema, out, lookup, depth);
  }
}

function readField(reader: WireReader, wire: number, name: string, schema: FieldSchema, out: JsonObject, lookup: SchemaLookup, depth: number): void {
  const { type } = schema;
  if (type.kind === 'list') {
    const list = (Array.isArray(out[name]) ? out[name] : []) as Json[];
    if (schema.protoWrapped) list.push(...wrappedItems(reader.chunk(), type.items, lookup, depth));
    else readItems(reader, wire, type.items, list, lookup, depth);
    define(out, name, list);
    return;
  }
  if (type.kind === 'map') {
    const map = (typeof out[name] === 'object' && out[name] !== null ? out[name] : {}) as JsonObject;
    const entry = new WireReader(reader.chunk());
    let key = '';
    let value: Json | undefined;
    while (!entry.done) {
      const tag = entry.tag();
      if (tag.field === 1) key = entry.chunk().toString();
      else if (tag.field !== 2) entry.skip(tag.type);
      else if (schema.protoWrapped && type.values.kind === 'list') value = wrappedItems(entry.chunk(), type.values.items, lookup, depth);
      else value = readValue(entry, type.values, lookup, depth);
    }
    define(map, key, value ?? emptyOf(type.values));
    define(out, name, map);
    return;
  }
  const value = readValue(reader, type, lookup, depth);
  if (value !== undefined) define(out, name, value);
}

function readItems(reader: WireReader, wire: number, items: TypeSchema, list: Json[], lookup: SchemaLookup, depth: number): void {
  const scalar = items.kind === 'integer' || items.kind === 'boolean' || items.kind === 'number';
  if (!scalar || wire !== 2) {
    const value = readValue(reader, items, lookup, depth);
    if (value !== undefined) list.push(value);
    return;
  }
  const packed = new WireReader(reader.chunk());
  while (!packed.done) list.push(readValue(packed, items, lookup, depth) as Json);
}

function wrappedItems(bytes: Buffer, items: TypeSchema, lookup: SchemaLookup, depth: number): Json[] {
  const list: Json[] = [];
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { field, type } = reader.tag();
    if (field === 1) readItems(reader, type, items, list, lookup, depth);
    else reader.skip(type);
  }
  return list;
}

function readValue(reader: WireReader, type: TypeSchema, lookup: SchemaLookup, depth: number): Json | undefined {
  switch (type.kind) {
    case 'string':
      return reader.chunk().toString();
    case 'bytes':
      return reader.chunk().toString('base64');
    case 'boolean':
      return reader.varint() !== 0n;
    case 'integer':
      return reader.integer();
    case 'number':
      return reader.double();
    case 'quantity':
      return stringIn(reader.chunk());
    case 'intOrString':
      return intOrString(reader.chunk());
    case 'time':
    case 'microTime':
      return time(reader.chunk(), type.kind === 'microTime');
    case 'any': {
      const raw = bytesIn(reader.chunk());
      return raw.length === 0 ? undefined : (JSON.parse(raw.toString()) as Json);
    }
    case 'ref':
      return decodeMessage(reader.chunk(), lookup(type.name), lookup, depth + 1);
    case 'struct':
      return decodeMessage(reader.chunk(), type, lookup, depth + 1);
    case 'list':
    case 'map':
      throw new Error(`a ${type.kind} inside another is not protobuf`);
  }
}

function emptyOf(type: TypeSchema): Json {
  return type.kind === 'list'
    ? []
    : type.kind === 'string' || type.kind === 'bytes'
      ? ''
      : type.kind === 'quantity'
        ? '0'
        : type.kind === 'integer' || type.kind === 'number'
          ? 0
          : type.kind === 'boolean'
            ? false
            : {};
}

/** Field 1 of a message, as bytes: RawExtension, FieldsV1, JSON. */
function bytesIn(message: Buffer): Buffer {
  const reader = new WireReader(message);
  let found = Buffer.alloc(0);
  while (!reader.done) {
    const { field, type } = reader.tag();
    if (field === 1 && type === 2) found = Buffer.from(reader.chunk());
    else reader.skip(type);
  }
  return found;
}

const stringIn = (message: Buffer): string => bytesIn(message).toString() || '0';

function intOrString(message: Buffer): Json {
  const reader = new WireReader(message);
  let kind = 0;
  let number = 0;
  let text = '';
  while (!reader.done) {
    const { field, type } = reader.tag();
    if (field === 1) kind = reader.integer();
    else if (field === 2) number = reader.integer();
    else if (field === 3) text = reader.chunk().toString();
    else reader.skip(type);
  }
  return kind === 1 ? text : number;
}

/** An empty message is the zero time: absent in JSON. */
function time(message: Buffer, micro: boolean): string | undefined {
  const reader = new WireReader(message);
  let seconds: number | undefined;
  let nanos = 0;
  while (!reader.done) {
    const { field, type } = reader.tag();
    if (field === 1) seconds = reader.integer();
    else if (field === 2) nanos = reader.integer();
    else reader.skip(type);
  }
  if (seconds === undefined) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micro ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${text}Z`;
}

/** Keys come from clients: none of them reaches the prototype. */
function define(target: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
