import type { PodCondition, PodStatus } from '@coxswain/api';
import { TEMPORARY_CONDITIONS } from './conditions.js';

/** Lists the API merges by key: they are to be replaced, not merged. */
const REPLACED = new Set(['podIPs', 'hostIPs']);
const FIELDS = [
  'observedGeneration',
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
  'allocatedResources',
  'resources',
  'resize',
] as const satisfies readonly (keyof PodStatus)[];

/**
 * The strategic merge patch that makes the API's status the wanted one; undefined when nothing differs. `written` is what the last
 * patch answered, newer than what an informer may show. Conditions of others stay as they are.
 */
export function statusPatch(api: PodStatus, written: PodStatus | undefined, wanted: PodStatus): object | undefined {
  const now = written ?? api;
  const patch: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = wanted[field];
    if (same(now[field], value)) continue;
    if (value === undefined) {
      if (now[field] !== undefined && field !== 'qosClass') patch[field] = null;
    } else patch[field] = REPLACED.has(field) && now[field] !== undefined ? [{ $patch: 'replace' }, ...(value as object[])] : value;
  }
  const conditions = (wanted.conditions ?? []).filter((c) => !same(ofType(now.conditions, c.type), c));
  const over = (now.conditions ?? []).filter((c) => TEMPORARY_CONDITIONS.includes(c.type) && !ofType(wanted.conditions, c.type));
  if (conditions.length + over.length > 0)
    patch['conditions'] = [...conditions.map((c) => clearing(ofType(now.conditions, c.type), c)), ...over.map(({ type }) => ({ $patch: 'delete', type }))];
  return Object.keys(patch).length > 0 ? patch : undefined;
}

const ofType = (list: readonly PodCondition[] | undefined, type: string) => list?.find((c) => c.type === type);

/** Merging leaves old members of a condition: name those that are to go. */
function clearing(old: PodCondition | undefined, next: PodCondition): object {
  const out: Record<string, unknown> = { ...next };
  for (const key of ['reason', 'message', 'lastProbeTime'] as const) if (old?.[key] && next[key] === undefined) out[key] = null;
  return out;
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return (a ?? undefined) === (b ?? undefined);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => same(x, b[i]));
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!same(left[key], right[key])) return false;
  // Absent and null are one.
  for (const key in right) if (!(key in left) && right[key] !== undefined && right[key] !== null) return false;
  return true;
}
