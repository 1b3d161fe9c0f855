import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '@coxswain/api';
import { type FieldContext, fieldValue, resourceValue } from '../render/field-path.js';
import type { PayloadFile } from './atomic-writer.js';

export type Payload = Map<string, PayloadFile>;

/** Files of a config map or secret: all keys, or the chosen ones under other names. */
export function keyFiles(
  kind: 'configmap' | 'secret',
  name: string,
  object: ConfigMap | Secret | undefined,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  optional: boolean,
): Payload {
  const out: Payload = new Map();
  if (!object) return out;
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(value, kind === 'secret' ? 'base64' : 'utf8'));
  for (const [key, value] of Object.entries(('binaryData' in object ? object.binaryData : undefined) ?? {})) data.set(key, Buffer.from(value, 'base64'));
  if (!items?.length) {
    for (const [key, value] of data) out.set(key, { data: value, mode: defaultMode });
    return out;
  }
  for (const item of items) {
    const value = data.get(item.key);
    if (value) out.set(item.path, { data: value, mode: item.mode ?? defaultMode });
    else if (!optional) throw new Error(`${kind} "${name}" references non-existent ${kind === 'configmap' ? 'config' : 'secret'} key: ${item.key}`);
  }
  return out;
}

export function downwardFiles(pod: Pod, items: readonly DownwardAPIVolumeFile[], defaultMode: number, context: FieldContext): Payload {
  const out: Payload = new Map();
  for (const item of items) {
    let text: string | undefined;
    if (item.fieldRef) text = fieldValue(pod, item.fieldRef.fieldPath, context);
    else if (item.resourceFieldRef) text = resourceValue(pod, undefined, item.resourceFieldRef, context);
    if (text === undefined) throw new Error(`downward API: unsupported field ${item.fieldRef?.fieldPath ?? ''}`);
    out.set(item.path, { data: Buffer.from(text, 'utf8'), mode: item.mode ?? defaultMode });
  }
  return out;
}
