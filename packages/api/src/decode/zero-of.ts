import type { Json, JsonObject } from '../schema.js';
import { decode } from './decode.js';

/** By type and field; `undefined` text: upstream leaves the field out. */
const texts = new Map<string, string | undefined>();

/** What upstream writes for a field that nobody has set, one of its own for each caller; undefined where it writes nothing. */
export function zeroOf(schema: string, field: string): Json | undefined {
  const key = `${schema} ${field}`;
  if (!texts.has(key)) {
    const object: JsonObject = {};
    decode(object, schema);
    texts.set(key, object[field] === undefined ? undefined : JSON.stringify(object[field]));
  }
  const text = texts.get(key);
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}
