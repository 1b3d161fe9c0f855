import type { FieldError } from '../field-error.js';
import type { Secret } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { decodedLength, MAX_DATA } from './config-map.js';
import { forbidden, invalid, required, tooLong } from './errors.js';
import { isConfigMapKey } from './names.js';
import { immutable } from './object-meta.js';
import { addSyntax, type Sink } from './sink.js';

/** Keys a type cannot do without. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret({ data = {}, type = '', metadata }: Secret): FieldError[] {
  const sink: Sink = [];
  let size = 0;
  for (const key in data) {
    addSyntax(sink, `data[${key}]`, key, isConfigMapKey(key));
    size += decodedLength(data[key] as string);
  }
  if (size > MAX_DATA) sink.push(tooLong('data', MAX_DATA));
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.['kubernetes.io/service-account.name']) {
    sink.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined) {
    sink.push(required('data[username]'), required('data[password]'));
  }
  for (const key of REQUIRED[type] ?? []) {
    const value = data[key];
    if (key === 'ssh-privatekey' ? !value : value === undefined) sink.push(required(`data[${key}]`));
    else if (key.startsWith('.docker')) {
      const wrong = wrongObject(Buffer.from(value ?? '', 'base64').toString());
      if (wrong) sink.push(invalid(`data[${key}]`, '<secret contents redacted>', wrong));
    }
  }
  return sink;
}

/** What Go says of a text that is to be a JSON object. */
function wrongObject(text: string): string | undefined {
  const into = 'into Go value of type map[string]interface {}';
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return `json: cannot unmarshal array ${into}`;
    return value === null || typeof value === 'object' ? undefined : `json: cannot unmarshal ${typeof value === 'boolean' ? 'bool' : typeof value} ${into}`;
  } catch {
    const [first] = text.trimStart();
    if (first === undefined || first === '{' || first === '[') return 'unexpected end of JSON input';
    return `invalid character '${first}' looking for beginning of value`;
  }
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors = immutable(secret.type, old.type, 'type');
  if (!old.immutable) return errors;
  if (!secret.immutable) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  if (!deepEqual(secret.data, old.data)) errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
  return errors;
}
