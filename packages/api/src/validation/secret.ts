import type { FieldError } from '../field-error.js';
import type { Secret } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { decodedLength, MAX_DATA } from './config-map.js';
import { forbidden, invalid, invalids, required, tooLong } from './errors.js';
import { isConfigMapKey } from './names.js';
import { immutable } from './object-meta.js';

/** Keys a type cannot do without. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret({ data = {}, type = '', metadata }: Secret): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...invalids(`data[${key}]`, key, isConfigMapKey(key)));
    size += decodedLength(value);
  }
  if (size > MAX_DATA) errors.push(tooLong('data', MAX_DATA));
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.['kubernetes.io/service-account.name']) {
    errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data)) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  for (const key of REQUIRED[type] ?? []) {
    if (key === 'ssh-privatekey' ? !data[key] : !(key in data)) errors.push(required(`data[${key}]`));
    else if (key.startsWith('.docker') && !isJson(data[key] ?? '')) errors.push(invalid(`data[${key}]`, '<secret contents redacted>', 'invalid character'));
  }
  return errors;
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString());
    return true;
  } catch {
    return false;
  }
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors = immutable(secret.type, old.type, 'type');
  if (!old.immutable) return errors;
  if (!secret.immutable) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  if (!deepEqual(secret.data, old.data)) errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
  return errors;
}
