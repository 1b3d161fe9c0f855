import type { FieldError } from '../field-error.js';
import type { ConfigMap } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { forbidden, invalid, tooLong } from './errors.js';
import { byteLength, isConfigMapKey } from './names.js';
import { addSyntax, type Sink } from './sink.js';

export const MAX_DATA = 1024 * 1024;

export function validateConfigMap({ data, binaryData }: ConfigMap): FieldError[] {
  const sink: Sink = [];
  let size = 0;
  for (const key in data) {
    addSyntax(sink, `data[${key}]`, key, isConfigMapKey(key));
    if (binaryData && Object.hasOwn(binaryData, key)) sink.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += byteLength(data[key] as string);
  }
  for (const key in binaryData) {
    addSyntax(sink, `binaryData[${key}]`, key, isConfigMapKey(key));
    size += decodedLength(binaryData[key] as string);
  }
  if (size > MAX_DATA) sink.push(tooLong('', MAX_DATA));
  return sink;
}

/** Bytes behind a base64 text. */
export const decodedLength = (base64: string): number => Buffer.byteLength(base64, 'base64');

export function validateConfigMapUpdate(map: ConfigMap, old: ConfigMap): FieldError[] {
  if (!old.immutable) return [];
  const errors: FieldError[] = [];
  if (!map.immutable) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const key of ['data', 'binaryData'] as const) {
    if (!deepEqual(map[key], old[key])) errors.push(forbidden(key, 'field is immutable when `immutable` is set'));
  }
  return errors;
}
