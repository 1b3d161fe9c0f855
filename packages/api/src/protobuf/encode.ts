import type { FieldSchema, Json, JsonObject, SchemaLookup, StructSchema, TypeSchema } from '../schema.js';
import { lookupSchema } from '../schema-table.js';
import { parseDuration } from '../util/duration.js';
import { type AnyShape, JSON_SCHEMA, type Layout, layoutOf } from './layout.js';
import { FIXED64, VARINT, Writer } from './wire.js';

/** The bare message of an object, without the envelope. The object must be decoded: values of the wrong type are not written. */
export function encodeMessage(object: JsonObject, schema: string | StructSchema, lookup: SchemaLookup = lookupSchema): Uint8Array {
  const writer = new Writer();
  new Encoder(writer, lookup).struct(object, layoutOf(typeof schema === 'string' ? lookup(schema) : schema));
  return writer.finish();
}

class Encoder {
  constructor(
    private readonly writer: Writer,
    private readonly lookup: SchemaLookup,
  ) {}

  struct(object: JsonObject, layout: Layout): void {
    for (const slot of layout.slots) {
      if (slot.kind === 'embedded') this.writer.message(slot.number, () => this.struct(object, slot.layout));
      else this.field(slot.number, object[slot.name], slot.schema, slot.shape);
    }
  }

  /** Fields without presence are written even when zero, as upstream writes them. */
  private field(number: number, value: Json | undefined, { type, zero, protoWrapped }: FieldSchema, shape: AnyShape): void {
    if (value === undefined || value === null) {
      if (zero !== undefined) this.zero(number, type);
      return;
    }
    if (protoWrapped && type.kind === 'list') {
      this.writer.message(number, () => this.value(1, value, type, shape, false));
      return;
    }
    this.value(number, value, type, shape, protoWrapped === true);
  }

  private zero(number: number, type: TypeSchema): void {
    if (type.kind === 'string') this.writer.text(number, '');
    else if (type.kind === 'boolean' || type.kind === 'integer') {
      this.writer.tag(number, VARINT);
      this.writer.varint(0);
    } else if (type.kind === 'ref') this.writer.message(number, () => this.struct({}, layoutOf(this.lookup(type.name))));
    else if (type.kind === 'quantity') this.writer.message(number, () => this.writer.text(1, '0'));
  }

  private value(number: number, value: Json, type: TypeSchema, shape: AnyShape, wrapped: boolean): void {
    const { writer } = this;
    switch (type.kind) {
      case 'string':
        writer.text(number, String(value));
        break;
      case 'bytes':
        writer.bytes(number, Buffer.from(String(value), 'base64'));
        break;
      case 'boolean':
        writer.tag(number, VARINT);
        writer.varint(value === true ? 1 : 0);
        break;
      case 'integer':
        writer.tag(number, VARINT);
        writer.varint(Number(value));
        break;
      case 'number':
        writer.tag(number, FIXED64);
        writer.double(Number(value));
        break;
      case 'quantity':
        writer.message(number, () => writer.text(1, String(value)));
        break;
      case 'intOrString':
        writer.message(number, () => this.intOrString(value));
        break;
      case 'time':
      case 'microTime':
        writer.message(number, () => this.time(String(value)));
        break;
      case 'duration':
        writer.message(number, () => {
          writer.tag(1, VARINT);
          writer.varint(Math.round((parseDuration(String(value)) ?? 0) * 1e6));
        });
        break;
      case 'ref':
        if (isObject(value)) writer.message(number, () => this.struct(value, layoutOf(this.lookup(type.name))));
        break;
      case 'list':
        if (Array.isArray(value)) for (const item of value) this.value(number, item, type.items, shape, false);
        break;
      case 'map':
        if (isObject(value)) this.map(number, value, type.values, shape, wrapped);
        break;
      case 'any':
        writer.message(number, () => this.any(value, shape));
        break;
      case 'struct':
        if (isObject(value)) writer.message(number, () => this.struct(value, layoutOf(type)));
        break;
    }
  }

  private map(number: number, value: JsonObject, values: TypeSchema, shape: AnyShape, wrapped: boolean): void {
    for (const key of Object.keys(value).sort()) {
      const item = value[key] ?? null;
      this.writer.message(number, () => {
        this.writer.text(1, key);
        if (item === null && values.kind.endsWith('ime')) this.writer.message(2, () => undefined);
        if (item === null) return;
        if (wrapped) this.writer.message(2, () => this.value(1, item, values, shape, false));
        else this.value(2, item, values, shape, false);
      });
    }
  }

  private intOrString(value: Json): void {
    const isText = typeof value === 'string';
    this.writer.tag(1, VARINT);
    this.writer.varint(isText ? 1 : 0);
    this.writer.tag(2, VARINT);
    this.writer.varint(isText ? 0 : Number(value));
    this.writer.text(3, isText ? value : '');
  }

  private time(text: string): void {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
    const seconds = Math.floor(Date.parse(text) / 1000);
    this.writer.tag(1, VARINT);
    this.writer.varint(seconds);
    this.writer.tag(2, VARINT);
    this.writer.varint(Number(fraction.slice(0, 9).padEnd(9, '0')));
  }

  private any(value: Json, shape: AnyShape): void {
    const { writer } = this;
    const schema = (number: number, body: Json): void => this.value(number, body, { kind: 'ref', name: JSON_SCHEMA }, 'raw', false);
    switch (shape) {
      case 'raw':
        writer.bytes(1, Buffer.from(JSON.stringify(value)));
        break;
      case 'schemaOrBool':
        writer.tag(1, VARINT);
        writer.varint(value === false ? 0 : 1);
        if (isObject(value)) schema(2, value);
        break;
      case 'schemaOrArray':
        if (Array.isArray(value)) for (const item of value) schema(2, item);
        else schema(1, value);
        break;
      case 'schemaOrStrings':
        if (Array.isArray(value)) for (const item of value) writer.text(2, String(item));
        else schema(1, value);
        break;
    }
  }
}

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
