import { schemaTable } from './generated/schema-table.js';
import type { FieldSchema, Json, ListTraits, SchemaLookup, StructSchema, TypeSchema } from './schema.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

let lines: string[] | undefined;
let lineOf: Map<string, number> | undefined;
const parsed = new Map<string, StructSchema>();

const SCALARS: Record<string, TypeSchema> = {
  s: { kind: 'string' },
  y: { kind: 'bytes' },
  o: { kind: 'boolean' },
  i: { kind: 'integer', format: 'int32' },
  l: { kind: 'integer', format: 'int64' },
  d: { kind: 'number' },
  q: { kind: 'quantity' },
  x: { kind: 'intOrString' },
  t: { kind: 'time' },
  m: { kind: 'microTime' },
  a: { kind: 'any' },
};

function index(): Map<string, number> {
  if (lineOf === undefined) {
    lines = schemaTable.split('\n');
    lineOf = new Map(lines.map((line, number) => [nameIn(line), number]));
  }
  return lineOf;
}

const nameIn = (line: string): string => line.slice(0, line.search(/[ ;]|$/));

/** The schema of a built-in type by its OpenAPI name (`io.k8s.api.core.v1.Pod`); parsed on first use. Throws for an unknown name. */
export const lookupSchema: SchemaLookup = (name) => {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const line = index().get(name);
  if (line === undefined) throw new Error(`no schema named ${name}`);
  const schema = parseStruct(lines?.[line] ?? '');
  parsed.set(name, schema);
  return schema;
};

/** Whether `lookupSchema` knows the name. */
export const hasSchema = (name: string): boolean => index().has(name);

/** The OpenAPI names of all built-in types, sorted. */
export const schemaNames = (): string[] => [...index().keys()];

/** Lines are written by scripts/lib/emit-schemas.mjs, which says what the letters mean. */
function parseStruct(line: string): StructSchema {
  const [head = '', ...entries] = line.split(';');
  const fields: Record<string, FieldSchema> = {};
  for (const entry of entries) {
    const [name = '', type = 'a', ...flags] = entry.split(' ');
    fields[name] = parseField(type, flags);
  }
  const struct: Mutable<StructSchema> = { fields };
  for (const flag of head.split(' ').slice(1)) {
    if (flag === 'A') struct.atomic = true;
    const [group = '', version = '', kind = ''] = flag.slice(1).split(',');
    if (flag.startsWith('G')) struct.groupVersionKind = { group, version, kind };
  }
  return struct;
}

function parseField(code: string, flags: string[]): FieldSchema {
  const traits: Mutable<ListTraits> = {};
  const field: Mutable<FieldSchema> = { type: SCALARS.a as TypeSchema };
  let atomic = false;
  let values: string[] | undefined;
  for (const flag of flags) {
    const rest = flag.slice(1);
    switch (flag[0]) {
      case '!':
        field.required = true;
        break;
      case '#': {
        const path = rest.split('.').map(Number);
        field.proto = path.pop();
        if (path.length > 0) field.protoIn = path;
        break;
      }
      case 'L': {
        const [kind, ...keys] = rest.split(':');
        traits.listType = kind as 'atomic' | 'set' | 'map';
        if (keys.length > 0) traits.listMapKeys = keys;
        break;
      }
      case 'A':
        atomic = true;
        break;
      case 'P':
        field.patchStrategy = rest.split(',') as ('merge' | 'replace' | 'retainKeys')[];
        break;
      case 'K':
        field.patchMergeKey = rest;
        break;
      case 'E':
        values = rest.split('|');
        break;
      case 'D':
        field.default = JSON.parse(rest) as Json;
        break;
      case 'W':
        field.protoWrapped = true;
        break;
      case '-':
        field.zero = 'omit';
        break;
      case '+':
        field.zero = 'emit';
        break;
    }
  }
  field.type = parseType(code, traits, atomic, values);
  return field;
}

function parseType(code: string, traits: ListTraits, atomic: boolean, values: string[] | undefined): TypeSchema {
  const inner = code.slice(1);
  if (code.startsWith('[')) return { kind: 'list', items: parseType(inner, {}, false, values), ...traits };
  if (code.startsWith('{')) {
    const type: TypeSchema = { kind: 'map', values: parseType(inner, {}, false, values) };
    return atomic ? { ...type, atomic } : type;
  }
  if (code.startsWith('&')) {
    const type: TypeSchema = { kind: 'ref', name: nameIn(lines?.[Number(inner)] ?? '') };
    return atomic ? { ...type, atomic } : type;
  }
  if (code === 's' && values !== undefined) return { kind: 'string', enum: values };
  return SCALARS[code] as TypeSchema;
}
