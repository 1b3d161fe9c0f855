import type { LabelSelector, Pod, PodAffinityTerm } from '../generated/types.js';

/**
 * `matchLabelKeys` and `mismatchLabelKeys` name labels of the pod itself: what it has there when it is made becomes a part of the
 * selector they stand beside. Without a selector nothing is selected, so there is nothing to narrow.
 */
export function mergeLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(podAffinityTerm, labels);
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(term, labels);
  }
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? []) merge(labelSelector, matchLabelKeys, 'In', labels);
}

function mergeTerm(term: PodAffinityTerm, labels: Readonly<Record<string, string>>): void {
  merge(term.labelSelector, term.matchLabelKeys, 'In', labels);
  merge(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels);
}

function merge(selector: LabelSelector | undefined, keys: readonly string[] = [], operator: string, labels: Readonly<Record<string, string>>): void {
  if (!selector) return;
  for (const key of keys) {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value !== undefined) selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
  }
}
