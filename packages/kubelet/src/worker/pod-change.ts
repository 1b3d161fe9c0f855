import type { Pod } from '@coxswain/api';
import { OWNED_CONDITIONS } from '../status/conditions.js';

/** Whether the difference between two versions of a pod is the worker's business: the echo of our own status is not. */
export function podChangeMatters(before: Pod | undefined, after: Pod): boolean {
  if (!before) return true;
  const a = before.metadata;
  const b = after.metadata;
  if (a?.deletionTimestamp !== b?.deletionTimestamp || a?.deletionGracePeriodSeconds !== b?.deletionGracePeriodSeconds) return true;
  if (!same(a?.labels, b?.labels) || !same(a?.annotations, b?.annotations)) return true;
  if (!same(foreignConditions(before), foreignConditions(after))) return true;
  if (after.status?.phase === 'Failed' && before.status?.phase !== 'Failed') return true;
  return a?.generation === undefined || a.generation !== b?.generation ? !same(before.spec, after.spec) : false;
}

function foreignConditions(pod: Pod): unknown[] {
  return (pod.status?.conditions ?? []).filter((c) => !OWNED_CONDITIONS.includes(c.type)).map(({ type, status }) => [type, status]);
}

const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);
