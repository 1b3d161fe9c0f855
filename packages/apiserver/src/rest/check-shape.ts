import type { KubeObject, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { FieldValidation } from './write-options.js';

/** Field errors that are named; the rest are counted by nobody, as upstream. */
const MAX_REPORTED = 100;

interface Findings {
  readonly unknown: string[];
}

type Check = (value: unknown, path: string, findings: Findings) => void;

/**
 * Hold an object to its type: wrong types are refused with 400; fields nobody knows are dropped and, by `validation`, refused,
 * warned about or passed over; nulls go, as they mean "absent". Changes the object.
 */
export function checkShape(context: RequestContext, served: ServedResource, object: KubeObject, duplicates: readonly string[], validation: FieldValidation): void {
  const findings: Findings = { unknown: [] };
  try {
    checkOf(served.schema, served.lookup)(object, '', findings);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { version, kind } = served.definition;
    throw ApiError.badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${error.message}`);
  }
  if (validation === 'Ignore' || (findings.unknown.length === 0 && duplicates.length === 0)) return;
  const problems = [...findings.unknown.map((path) => `unknown field ${JSON.stringify(path)}`), ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`)].slice(0, MAX_REPORTED);
  if (validation === 'Warn') {
    for (const problem of problems) context.warn(problem);
    return;
  }
  const { version, kind } = served.definition;
  throw ApiError.badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${problems.join(', ')}`);
}

class ShapeError extends Error {}

const compiled = new WeakMap<SchemaLookup, Map<string, Check>>();
const inline = new WeakMap<TypeSchema, Check>();

function checkOf(type: TypeSchema, lookup: SchemaLookup): Check {
  if (type.kind !== 'ref') {
    let check = inline.get(type);
    if (!check) inline.set(type, (check = compile(type, lookup)));
    return check;
  }
  let byName = compiled.get(lookup);
  if (!byName) compiled.set(lookup, (byName = new Map()));
  const known = byName.get(type.name);
  if (known) return known;
  const target: { check?: Check } = {};
  // Types may contain themselves: the entry stands before it is complete.
  byName.set(type.name, (value, path, findings) => (target.check as Check)(value, path, findings));
  target.check = structCheck(lookup(type.name), lookup);
  byName.set(type.name, target.check);
  return target.check;
}

const mismatch = (value: unknown, path: string, wanted: string): never => {
  const got = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  throw new ShapeError(`json: cannot unmarshal ${got} into Go struct field ${path} of type ${wanted}`);
};

const string: Check = (value, path) => {
  if (typeof value !== 'string') mismatch(value, path, 'string');
};
const boolean: Check = (value, path) => {
  if (typeof value !== 'boolean') mismatch(value, path, 'bool');
};
const number: Check = (value, path) => {
  if (typeof value !== 'number') mismatch(value, path, 'float64');
};
const anything: Check = () => {};
const time: Check = (value, path) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw new ShapeError(`parsing time ${JSON.stringify(value)} of ${path}: not RFC 3339`);
};
const quantityLike: Check = (value, path) => {
  if (typeof value !== 'string' && typeof value !== 'number') mismatch(value, path, 'resource.Quantity');
};
const intOrString: Check = (value, path) => {
  if (typeof value === 'string') return;
  if (typeof value !== 'number' || !Number.isInteger(value)) mismatch(value, path, 'intstr.IntOrString');
};

function integer(format: 'int32' | 'int64'): Check {
  const limit = format === 'int32' ? 2 ** 31 : 2 ** 63;
  return (value, path) => {
    if (typeof value !== 'number') mismatch(value, path, format);
    const n = value as number;
    if (!Number.isInteger(n) || n < -limit || n >= limit) throw new ShapeError(`json: cannot unmarshal number ${n} into Go struct field ${path} of type ${format}`);
  };
}

const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;
const bytes: Check = (value, path) => {
  if (typeof value !== 'string') mismatch(value, path, '[]uint8');
  const text = value as string;
  if (!BASE64.test(text) || text.replace(/[\r\n]/g, '').length % 4 !== 0) throw new ShapeError(`illegal base64 data in ${path}`);
};

function compile(type: TypeSchema, lookup: SchemaLookup): Check {
  switch (type.kind) {
    case 'string':
      return string;
    case 'bytes':
      return bytes;
    case 'boolean':
      return boolean;
    case 'integer':
      return integer(type.format);
    case 'number':
      return number;
    case 'quantity':
      return quantityLike;
    case 'intOrString':
      return intOrString;
    case 'time':
    case 'microTime':
      return time;
    case 'any':
      return anything;
    case 'ref':
      return checkOf(type, lookup);
    case 'struct':
      return structCheck(type, lookup);
    case 'list': {
      const item = checkOf(type.items, lookup);
      return (value, path, findings) => {
        if (!Array.isArray(value)) mismatch(value, path, '[]');
        const list = value as unknown[];
        for (let i = 0; i < list.length; i++) if (list[i] !== null) item(list[i], `${path}[${i}]`, findings);
      };
    }
    case 'map': {
      const member = checkOf(type.values, lookup);
      return (value, path, findings) => {
        if (typeof value !== 'object' || Array.isArray(value)) mismatch(value, path, 'map[string]');
        const map = value as Record<string, unknown>;
        for (const key in map) {
          // A null in a map is the zero value of its type, which only strings can stand for.
          if (map[key] === null) {
            if (type.values.kind === 'string') map[key] = '';
            else delete map[key];
          } else member(map[key], path === '' ? key : `${path}.${key}`, findings);
        }
      };
    }
  }
}

function structCheck(schema: StructSchema, lookup: SchemaLookup): Check {
  const checks = new Map<string, Check>();
  for (const [name, field] of Object.entries(schema.fields)) {
    let check: Check | undefined;
    checks.set(name, (value, path, findings) => {
      check ??= checkOf(field.type, lookup);
      check(value, path, findings);
    });
  }
  return (value, path, findings) => {
    if (typeof value !== 'object' || Array.isArray(value)) mismatch(value, path, 'struct');
    const object = value as Record<string, unknown>;
    for (const key in object) {
      const member = object[key];
      if (member === null) {
        delete object[key];
        continue;
      }
      const check = checks.get(key);
      if (check) check(member, path === '' ? key : `${path}.${key}`, findings);
      else if (!schema.preserveUnknown && !(path === '' && (key === 'apiVersion' || key === 'kind'))) {
        findings.unknown.push(path === '' ? key : `${path}.${key}`);
        delete object[key];
      }
    }
  };
}
