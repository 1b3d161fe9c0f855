import { canonicalQuantity, QuantityError } from '../quantity/quantity.js';
import type { Json, JsonObject, SchemaLookup, TypeSchema } from '../schema.js';
import { lookupSchema } from '../schema-table.js';
import { goType, jsonType } from './go-type.js';
import { lookupPlan, planOf, type StructPlan } from './plan.js';
import { canonicalTime, timeProblem } from './time.js';
import { typedElement, typedMismatch } from './typed-mismatch.js';

/** What a decode found wrong. The object is usable only when `errors` is empty. */
export interface DecodeResult {
  /** Why the text is no object of the type, in upstream's words (`json: cannot unmarshal …`). Any of these is a 400. */
  readonly errors: readonly string[];
  /** Strict decoding findings: `unknown field "spec.foo"`. Errors for fieldValidation=Strict, warnings for Warn. */
  readonly unknown: readonly string[];
  /** Of a configuration to apply, what makes it none of the type, in the words of upstream's typed values; `errors` has none of it. */
  readonly untyped?: readonly string[];
}

export interface DecodeOptions {
  /** Default: the built-in schemas. */
  readonly lookup?: SchemaLookup;
  /** Write and drop zero values as upstream's types do (default true); false for patches, which must stay sparse. */
  readonly zeros?: boolean;
  /** The object is a configuration to apply: sparse, and held to its type in the words of typed values. */
  readonly applied?: boolean;
}

/**
 * Brings parsed JSON into the form of a type, in place: unknown fields and nulls go, quantities and times become canonical.
 * Cost is proportional to the object; the schema is resolved once per process.
 */
export function decode(object: JsonObject, schema: string, options: DecodeOptions = {}): DecodeResult {
  const decoder = new Decoder(options.lookup ?? lookupSchema, options.zeros ?? !options.applied, options.applied ?? false);
  decoder.root(object, lookupPlan(decoder.lookup, schema));
  const { errors, unknown, untyped } = decoder;
  return decoder.applied ? { errors, unknown, untyped } : { errors, unknown };
}

class Decoder {
  readonly errors: string[] = [];
  readonly unknown: string[] = [];
  readonly untyped: string[] = [];

  constructor(
    readonly lookup: SchemaLookup,
    private readonly zeros: boolean,
    readonly applied: boolean,
  ) {}

  root(object: JsonObject, plan: StructPlan): void {
    if (this.fields(object, plan, '')) for (const name in object) if (object[name] === undefined) delete object[name];
    this.emit(object, plan, '');
  }

  /** Itself or, when something has to go, a copy: an object that members were deleted of is slow for everybody after us. */
  private struct(object: JsonObject, plan: StructPlan, path: string): JsonObject {
    const kept = this.fields(object, plan, path) ? compact(object) : object;
    this.emit(kept, plan, path);
    return kept;
  }

  /** What is to go becomes undefined; returns whether anything did. */
  private fields(object: Record<string, Json | undefined>, plan: StructPlan, path: string): boolean {
    let dropped = false;
    for (const name in object) {
      const value = object[name];
      const field = plan.fields.get(name);
      let kept: Json | undefined = value;
      if (field === undefined) {
        if (plan.keepsUnknown) continue;
        this.unknown.push(`unknown field ${JSON.stringify(shown(join(path, name)))}`);
        if (this.applied) this.untyped.push(`.${shown(join(path, name))}: field not declared in schema`);
        kept = undefined;
      } else if (value === null || value === undefined) {
        kept = undefined;
      } else {
        if (!isPlain(value, field.type)) kept = this.value(value, field.type, plan, join(path, name));
        if (this.zeros && field.zero === 'omit' && isZero(kept as Json)) kept = undefined;
        else if (this.zeros && field.emptyIsNull && isZero(kept as Json)) kept = null;
      }
      if (kept === undefined) dropped = true;
      if (kept !== value) object[name] = kept;
    }
    return dropped;
  }

  private emit(object: JsonObject, plan: StructPlan, path: string): void {
    if (!this.zeros) return;
    for (const field of plan.emitted)
      if (object[field.name] === undefined) object[field.name] = field.nullable ? null : this.zero(field.name, field.type, path);
  }

  private value(value: Json, type: TypeSchema, plan: StructPlan, path: string): Json {
    switch (type.kind) {
      case 'string':
      case 'duration':
        return typeof value === 'string' ? value : this.mismatch(value, type, plan, path);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.mismatch(value, type, plan, path);
      case 'number':
        return typeof value === 'number' ? value : this.mismatch(value, type, plan, path);
      case 'integer':
        return this.integer(value, type, plan, path);
      case 'bytes':
        return this.bytes(value, type, plan, path);
      case 'quantity':
        return this.quantity(value);
      case 'intOrString':
        return typeof value === 'string' ? value : this.integer(value, { kind: 'integer', format: 'int32' }, plan, path);
      case 'time':
      case 'microTime':
        return this.time(value, type, plan, path);
      case 'ref':
        return this.nested(value, lookupPlan(this.lookup, type.name), type, plan, path);
      case 'struct':
        return this.nested(value, planOf(type, ''), type, plan, path);
      case 'list':
        if (!Array.isArray(value)) return this.mismatch(value, type, plan, path);
        for (let index = 0; index < value.length; index++) {
          const item = value[index] ?? null;
          const at = this.applied ? typedElement(type, item, index, this.lookup) : `[${index}]`;
          value[index] = this.element(item, type.items, plan, `${path}${OPEN}${at}${CLOSE}`);
        }
        return value;
      case 'map':
        if (!isObject(value)) return this.mismatch(value, type, plan, path);
        for (const key in value) value[key] = this.element(value[key] ?? null, type.values, plan, `${path}${OPEN}.${key}${CLOSE}`);
        return value;
      case 'any':
        return value;
    }
  }

  /** A null in a list or map is the zero value of its type. */
  private element(value: Json, type: TypeSchema, plan: StructPlan, path: string): Json {
    if (value === null) return type.kind === 'any' || type.kind.endsWith('ime') ? null : this.zero('', type, path);
    return this.value(value, type, plan, path);
  }

  private nested(value: Json, inner: StructPlan, type: TypeSchema, plan: StructPlan, path: string): Json {
    if (!isObject(value)) return this.mismatch(value, type, plan, path);
    return this.struct(value, inner, path);
  }

  private integer(value: Json, type: TypeSchema & { kind: 'integer' }, plan: StructPlan, path: string): Json {
    const limit = type.format === 'int32' ? 2 ** 31 : 2 ** 63;
    if (typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit) return value;
    return this.mismatch(value, type, plan, path);
  }

  private bytes(value: Json, type: TypeSchema, plan: StructPlan, path: string): Json {
    if (typeof value !== 'string') return this.mismatch(value, type, plan, path);
    const bad = value.replace(/[\r\n]/g, '').search(/[^A-Za-z0-9+/=]|=(?!=*$)/);
    const length = value.replace(/[\r\n]/g, '').length;
    if (bad >= 0 || length % 4 !== 0) this.errors.push(`illegal base64 data at input byte ${bad >= 0 ? bad : length - (length % 4)}`);
    return value;
  }

  private quantity(value: Json): Json {
    try {
      return canonicalQuantity(typeof value === 'number' ? value : typeof value === 'string' ? value : JSON.stringify(value));
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      this.errors.push(error.message);
      return value;
    }
  }

  private time(value: Json, type: TypeSchema, plan: StructPlan, path: string): Json {
    if (typeof value !== 'string') return this.mismatch(value, { kind: 'string' }, plan, path, false);
    const canonical = canonicalTime(value, type.kind === 'microTime');
    if (canonical !== undefined) return canonical;
    this.errors.push(timeProblem(value, type.kind === 'microTime'));
    return value;
  }

  /** `typed`: typed values look into it, too. */
  private mismatch(value: Json, type: TypeSchema, plan: StructPlan, path: string, typed = true): Json {
    const untyped = this.applied && typed ? typedMismatch(value, type) : undefined;
    if (untyped !== undefined) {
      this.untyped.push(`.${shown(path)}: ${untyped}`);
      return value;
    }
    const got = typeof value === 'number' && type.kind === 'integer' ? `number ${value}` : jsonType(value);
    this.errors.push(`json: cannot unmarshal ${got} into Go struct field ${plan.name}.${path.replace(ELEMENT, '')} of type ${goType(type)}`);
    return value;
  }

  private zero(name: string, type: TypeSchema, path: string): Json {
    switch (type.kind) {
      case 'ref':
      case 'struct': {
        const plan = type.kind === 'ref' ? lookupPlan(this.lookup, type.name) : planOf(type, '');
        return this.struct({}, plan, join(path, name));
      }
      case 'boolean':
        return false;
      case 'integer':
      case 'number':
        return 0;
      case 'quantity':
        return '0';
      case 'list':
        return [];
      case 'map':
        return {};
      default:
        return '';
    }
  }
}

function compact(object: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const name in object) {
    const value = object[name];
    if (value === undefined) continue;
    // A member of this name would otherwise become the prototype of the copy.
    if (name === '__proto__') Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true });
    else out[name] = value;
  }
  return out;
}

/** Right as it is: most fields are, and for them no path is put together. */
function isPlain(value: Json, { kind }: TypeSchema): boolean {
  switch (kind) {
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === kind;
    case 'intOrString':
      return typeof value === 'string';
    case 'any':
      return true;
    default:
      return false;
  }
}

/** Around what of a path is a place in a list or map: structs' paths, as upstream's decoder tells them, have none of it. */
const OPEN = '\u0001';
const CLOSE = '\u0002';
const ELEMENT = /\u0001[^\u0002]*\u0002/g;
const shown = (path: string): string => path.replace(/[\u0001\u0002]/g, '');

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

function isZero(value: Json): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && isEmptyObject(value);
}

function isEmptyObject(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}
