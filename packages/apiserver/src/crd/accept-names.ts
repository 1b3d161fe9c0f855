import { deepEqual } from '@coxswain/apimachinery';
import { conditionOf, withCondition } from './conditions.js';
import type { Condition } from './conditions.js';
import type { Crd } from './json-schema.js';

type Names = Crd['spec']['names'];

export interface NamesDecision {
  readonly acceptedNames: Names;
  readonly conditions: Condition[];
  readonly accepted: boolean;
}

/** Decide which of the names a CRD asks for it gets; the rest stay as accepted before. `others` are the CRDs of its group. */
export function acceptNames(crd: Crd, others: readonly Crd[], now: number): NamesDecision {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const names = status?.acceptedNames;
    if (!names) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names.kind, names.listKind]) if (name) kinds.add(name);
  }
  const asked = crd.spec.names;
  const before: Names = crd.status?.acceptedNames ?? { plural: '', kind: '' };
  const out = { ...before };
  let conflict: { reason: string; message: string } | undefined;
  const take = (key: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string) => {
    const name = asked[key] ?? '';
    if (name !== (before[key] ?? '') && used.has(name)) conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    else if (name !== '') out[key] = name;
  };
  take('plural', resources, 'PluralConflict');
  take('singular', resources, 'SingularConflict');
  const taken = (asked.shortNames ?? []).filter((name) => !before.shortNames?.includes(name) && resources.has(name));
  if (taken.length > 0) {
    const texts = taken.map((name) => `${JSON.stringify(name)} is already in use`);
    conflict = { reason: 'ShortNamesConflict', message: texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]` };
  } else if (asked.shortNames) out.shortNames = asked.shortNames;
  else delete out.shortNames;
  take('kind', kinds, 'KindConflict');
  take('listKind', kinds, 'ListKindConflict');
  if (asked.categories) out.categories = asked.categories;
  else delete out.categories;

  const present = (crd.status?.conditions ?? []) as Condition[];
  const accepted = conflict === undefined;
  let conditions = withCondition(
    present,
    { type: 'NamesAccepted', status: accepted ? 'True' : 'False', ...(conflict ?? { reason: 'NoConflicts', message: 'no conflicts found' }) },
    now,
  );
  const established = conditionOf(crd, 'Established')?.status === 'True';
  if (!established) {
    const state = accepted
      ? { status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
      : { status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
    conditions = withCondition(conditions, { type: 'Established', ...state }, now);
  }
  return { acceptedNames: out, conditions, accepted };
}

export const sameNames = (a: Names | undefined, b: Names | undefined): boolean => deepEqual(a, b);
