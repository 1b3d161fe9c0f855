import type { NodeSelectorTerm } from '../generated/types.js';
import { own } from '../util/own.js';
import { isLabelValue } from './names.js';
import { deepEqual } from '../util/deep-equal.js';

const REPLACED: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** What to say of a label of nodes that has a newer name. */
export const nodeLabelWarning = (key: string): string | undefined => own(REPLACED, key);

/** `checkValues`: those of terms that nobody has to fulfil, which are not refused. */
export function nodeSelectorTermWarnings(term: NodeSelectorTerm | undefined, field: string, checkValues = false): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values }, index) => {
    const at = `${field}.matchExpressions[${index}]`;
    const warning = nodeLabelWarning(key);
    return [
      ...(warning ? [`${at}.key: ${key} is ${warning}`] : []),
      ...(checkValues ? (values ?? []) : []).flatMap((value, which) => wrongValue(value).map((detail) => `${at}.values[${which}]: ${detail}`)),
    ];
  });
}

const wrongValue = (value: string): string[] => isLabelValue(value).map((detail) => `${value} is invalid, ${detail}`);

const NEWER: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(REPLACED).map(([key, warning]) => [key, /use "([^"]*)"/.exec(warning)?.[1] ?? key]),
);

/** Whether the terms are alike but for labels that now have their newer name. */
export function wasLabelledOtherwise(terms: readonly NodeSelectorTerm[] | undefined, old: readonly NodeSelectorTerm[] | undefined): boolean {
  const renamed = old?.map((term, at) => ({
    ...term,
    ...(term.matchExpressions && {
      matchExpressions: term.matchExpressions.map((each, index) => {
        const now = terms?.[at]?.matchExpressions?.[index]?.key;
        return now !== undefined && own(NEWER, each.key) === now ? { ...each, key: now } : each;
      }),
    }),
  }));
  return deepEqual(terms, renamed);
}
