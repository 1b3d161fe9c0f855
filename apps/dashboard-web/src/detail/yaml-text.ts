import { parseAllDocuments, stringify } from 'yaml';
import type { KubeObject } from '../api/resource';

/** The object as its owner would write it, or all of it. */
export function toYaml(object: KubeObject, { managedFields = false } = {}): string {
  const { managedFields: managed, ...metadata } = object.metadata;
  const shown = { apiVersion: object.apiVersion, kind: object.kind, metadata: managedFields ? { ...metadata, managedFields: managed } : metadata };
  const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = object;
  return stringify({ ...shown, ...rest }, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Throws with the line that is wrong. Empty documents are left out. */
export function parseObjects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    const value = document.toJS() as KubeObject | null;
    if (value === null) return [];
    if (typeof value !== 'object' || !value.kind || !value.apiVersion) throw new Error('an object needs apiVersion and kind');
    if (typeof value.metadata?.name !== 'string') throw new Error(`the ${value.kind} needs metadata.name`);
    return [value];
  });
}

const OF_THE_SERVER = [
  'managedFields',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** What somebody who applies wants, without what the server says of itself. */
export function applied(object: KubeObject): object {
  const { status: _s, ...rest } = object;
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !(OF_THE_SERVER as readonly string[]).includes(key)));
  return { ...rest, metadata };
}
