import type { ManagedFieldsEntryLike } from '@coxswain/api';
import { parseTime } from '../util/time.js';
import { NO_FIELDS, unionFields, type Fields } from './fields.js';

/** A manager's entry, decoded as far as needed: `fields` is the stored `fieldsV1` itself. */
export interface Managed {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: Fields;
}

/** Undefined when an entry is malformed: then nothing of it can be trusted. */
export function decodeManagers(entries: readonly ManagedFieldsEntryLike[] | undefined): Managed[] | undefined {
  const out: Managed[] = [];
  for (const e of entries ?? []) {
    if ((e.operation !== 'Apply' && e.operation !== 'Update') || !e.apiVersion || e.fieldsType !== 'FieldsV1') return undefined;
    if (e.fieldsV1 !== undefined && (typeof e.fieldsV1 !== 'object' || e.fieldsV1 === null)) return undefined;
    out.push({
      manager: e.manager ?? '',
      operation: e.operation,
      apiVersion: e.apiVersion,
      subresource: e.subresource ?? '',
      time: e.time,
      fields: (e.fieldsV1 as Fields | undefined) ?? NO_FIELDS,
    });
  }
  return out;
}

export function encodeManagers(managers: readonly Managed[]): ManagedFieldsEntryLike[] | undefined {
  if (managers.length === 0) return undefined;
  return [...managers].sort(byOrder).map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource !== '' && { subresource }),
  }));
}

const seconds = (m: Managed) => (m.time === undefined ? 0 : Math.floor((parseTime(m.time) ?? 0) / 1000));
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Applies first, then by time, then by name: the order they are stored in. */
function byOrder(a: Managed, b: Managed): number {
  return (
    compareText(a.operation, b.operation) ||
    (a.time === b.time ? 0 : seconds(a) - seconds(b)) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

/** Who writes. For applies the version does not matter: a manager has one applied configuration, whatever version it was in. */
export function sameManager(a: Omit<Managed, 'time' | 'fields'>, b: Omit<Managed, 'time' | 'fields'>): boolean {
  return (
    a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource && (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

export const MAX_UPDATE_MANAGERS = 10;
const BUCKET = 'ancient-changes';

/** Too many updaters: the oldest of a version become one entry. */
export function capUpdateManagers(managers: readonly Managed[]): readonly Managed[] {
  let excess = managers.reduce((n, m) => n + (m.operation === 'Update' ? 1 : 0), 0) - MAX_UPDATE_MANAGERS;
  if (excess <= 0) return managers;
  const oldest = managers.filter((m) => m.operation === 'Update').sort(byOrder);
  const firstOfVersion = new Map<string, Managed>();
  let out = [...managers];
  for (const m of oldest) {
    if (excess <= 0) break;
    const first = firstOfVersion.get(m.apiVersion);
    if (!first) {
      firstOfVersion.set(m.apiVersion, m);
      continue;
    }
    const bucket: Managed = {
      manager: BUCKET,
      operation: 'Update',
      apiVersion: m.apiVersion,
      subresource: '',
      time: m.time,
      fields: unionFields(m.fields, first.fields),
    };
    out = out.filter((e) => e !== m && e !== first);
    out.push(bucket);
    firstOfVersion.set(m.apiVersion, bucket);
    excess--;
  }
  return out;
}

/** An empty list, or a list of one empty entry, asks to forget all managers. */
export function isReset(entries: readonly ManagedFieldsEntryLike[] | undefined): boolean {
  if (!entries) return false;
  return entries.length === 0 || (entries.length === 1 && Object.values(entries[0] as object).every((v) => v === undefined || v === ''));
}
