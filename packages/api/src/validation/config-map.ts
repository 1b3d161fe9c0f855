import type { FieldError } from '../field-error.js';
import type { ConfigMap } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { forbidden, invalid, invalids, tooLong } from './errors.js';
import { byteLength, isConfigMapKey } from './names.js';

export const MAX_DATA = 1024 * 1024;

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...invalids(`data[${key}]`, key, isConfigMapKey(key)));
    if (key in binaryData) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...invalids(`binaryData[${key}]`, key, isConfigMapKey(key)));
    size += decodedLength(value);
  }
  if (size > MAX_DATA) errors.push(tooLong('', MAX_DATA));
  return errors;
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
