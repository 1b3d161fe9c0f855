import type { Json, JsonObject, SchemaLookup, TypeSchema } from '../schema.js';

/** What upstream's typed values say of a value of the wrong kind; undefined for types they do not look into. */
export function typedMismatch(value: Json, type: TypeSchema): string | undefined {
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'duration':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goText(value)}}`;
    case 'integer':
    case 'number':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goTypeOf(value)}`;
    case 'list':
      return Array.isArray(value) ? undefined : `expected list, got &{${goText(value)}}`;
    case 'map':
    case 'ref':
    case 'struct':
      return isObject(value) ? undefined : `expected map, got &{${goText(value)}}`;
    default:
      return undefined;
  }
}

/** How upstream's typed values name an item of a list: by its keys, its value or, in atomic lists, its place. */
export function typedElement(list: TypeSchema & { kind: 'list' }, item: Json, index: number, lookup: SchemaLookup): string {
  if (list.listType === 'set' && !isObject(item)) return `[=${JSON.stringify(item)}]`;
  if (list.listType !== 'map' || !list.listMapKeys || !isObject(item)) return `[${index}]`;
  const { items } = list;
  const fields = items.kind === 'ref' ? lookup(items.name).fields : items.kind === 'struct' ? items.fields : {};
  const keys = [...list.listMapKeys].sort().flatMap((key) => {
    const value = item[key] ?? fields[key]?.default;
    return value === undefined ? [] : [`${key}=${JSON.stringify(value)}`];
  });
  return keys.length === 0 ? `[${index}]` : `[${keys.join(',')}]`;
}

/** As Go prints a value with `%v`. */
export function goText(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isObject(value)) return `map[${sortedEntries(value, goText)}]`;
  return String(value);
}

/** As Go prints a value with `%#v`. */
function goSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value)) {
    const members = Object.keys(value).sort();
    return `map[string]interface {}{${members.map((key) => `${JSON.stringify(key)}:${goSyntax(value[key] as Json)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

const sortedEntries = (value: JsonObject, text: (member: Json) => string): string =>
  Object.keys(value)
    .sort()
    .map((key) => `${key}:${text(value[key] as Json)}`)
    .join(' ');

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
