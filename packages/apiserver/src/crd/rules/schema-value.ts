import { evaluate } from '@marcbachmann/cel-js';
import { toCel } from '@coxswain/cel';
import { itemsOf, valuesOf } from '../json-schema.js';
import type { JsonSchema } from '../json-schema.js';
import { escapeName } from '@coxswain/cel';

/** A value as rules see it: typed by the schema, with the names rules use. `resource`: apiVersion, kind and names are there without being declared. */
export function schemaValue(value: unknown, schema: JsonSchema, resource: boolean): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value === 'number') return schema.type === 'number' && !schema['x-kubernetes-int-or-string'] ? value : toCel(value);
  if (typeof value === 'string') return stringValue(value, schema.format);
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return items ? value.map((item) => schemaValue(item, items, items['x-kubernetes-embedded-resource'] === true)) : toCel(value);
  }
  return objectValue(value as Record<string, unknown>, schema, resource);
}

function objectValue(object: Record<string, unknown>, schema: JsonSchema, resource: boolean): Map<string, unknown> {
  const out = new Map<string, unknown>();
  const values = valuesOf(schema);
  if (values) {
    for (const key in object) out.set(key, schemaValue(object[key], values, values['x-kubernetes-embedded-resource'] === true));
    return out;
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeName(name);
    if (escaped === undefined || object[name] === undefined || (resource && name === 'metadata')) continue;
    out.set(escaped, schemaValue(object[name], property, property['x-kubernetes-embedded-resource'] === true));
  }
  if (!resource) return out;
  for (const name of ['apiVersion', 'kind']) if (typeof object[name] === 'string') out.set(name, object[name]);
  const metadata = object.metadata as { name?: unknown; generateName?: unknown } | undefined;
  const names = new Map<string, unknown>();
  if (metadata?.name !== undefined) names.set('name', metadata.name);
  if (metadata?.generateName !== undefined) names.set('generateName', metadata.generateName);
  out.set('metadata', names);
  return out;
}

function stringValue(value: string, format: string | undefined): unknown {
  switch (format) {
    case 'date':
    case 'date-time': {
      const time = new Date(value);
      return Number.isNaN(time.getTime()) ? value : time;
    }
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'duration':
      return durationValue(value);
    default:
      return value;
  }
}

/** The interpreter's own durations can only be had from it. */
function durationValue(text: string): unknown {
  try {
    return evaluate('duration(text)', { text });
  } catch {
    return text;
  }
}
