import type { Pod, PodAffinityTerm } from '@coxswain/api';
import { labelSelectorFromObject, type LabelSelector } from '@coxswain/apimachinery';
import type { ClusterView } from '../framework/handle.js';

/** An inter-pod affinity term, compiled. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: LabelSelector;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: LabelSelector;
  readonly weight: number;
}

export interface AffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly requiredAnti: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
  readonly preferredAnti: readonly AffinityTerm[];
}

const cache = new WeakMap<Pod, AffinityTerms>();

export function affinityTerms(pod: Pod): AffinityTerms {
  let t = cache.get(pod);
  if (!t) {
    const { podAffinity: a, podAntiAffinity: anti } = pod.spec?.affinity ?? {};
    const one = (term: PodAffinityTerm, weight = 0) => compile(pod, term, weight);
    t = {
      required: (a?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((x) => one(x)),
      requiredAnti: (anti?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((x) => one(x)),
      preferred: (a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((x) => one(x.podAffinityTerm, x.weight)),
      preferredAnti: (anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((x) => one(x.podAffinityTerm, x.weight)),
    };
    cache.set(pod, t);
  }
  return t;
}

function compile(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const own = !term.namespaceSelector && (term.namespaces ?? []).length === 0;
  return {
    topologyKey: term.topologyKey,
    selector: labelSelectorFromObject(term.labelSelector),
    namespaces: new Set(own ? [pod.metadata.namespace ?? ''] : term.namespaces),
    namespaceSelector: labelSelectorFromObject(term.namespaceSelector),
    weight,
  };
}

/** Whether the term speaks of the pod. */
export function termMatches(term: AffinityTerm, pod: Pod, view: ClusterView): boolean {
  const ns = pod.metadata.namespace ?? '';
  if (!term.namespaces.has(ns) && !term.namespaceSelector.matches(view.namespace(ns)?.metadata.labels)) return false;
  return term.selector.matches(pod.metadata.labels);
}
