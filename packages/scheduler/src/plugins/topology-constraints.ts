import type { Pod, TopologySpreadConstraint } from '@coxswain/api';
import { labelRequirement, labelSelectorFromObject, type LabelSelector } from '@coxswain/apimachinery';
import type { NodeInfo } from '@coxswain/sdk';
import type { DefaultSpreadConstraint } from './plugin-args.js';
import { matchesRequiredNodeAffinity } from './node-affinity.js';
import { toleratesAny } from './tolerations.js';

/** A spread constraint with its selector compiled and its defaults filled in. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelector;
  /** Names selector and namespace: counts are remembered by it. */
  readonly countKey: string;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
}

export function compileConstraints(pod: Pod, when: 'DoNotSchedule' | 'ScheduleAnyway'): SpreadConstraint[] {
  return (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === when).map((c) => compile(pod, c));
}

/** The configured constraints of a pod that has none of its own, by the selector of what it belongs to. */
export function compileDefaults(
  pod: Pod,
  defaults: readonly DefaultSpreadConstraint[],
  when: DefaultSpreadConstraint['whenUnsatisfiable'],
  selector: LabelSelector,
): SpreadConstraint[] {
  return defaults
    .filter((c) => c.whenUnsatisfiable === when)
    .map(({ topologyKey, maxSkew }) => ({
      topologyKey,
      maxSkew,
      minDomains: 1,
      selector,
      countKey: countKey(selector, pod),
      honorAffinity: true,
      honorTaints: false,
    }));
}

function compile(pod: Pod, c: TopologySpreadConstraint): SpreadConstraint {
  let selector = labelSelectorFromObject(c.labelSelector);
  for (const key of c.matchLabelKeys ?? []) {
    const value = pod.metadata.labels?.[key];
    if (value !== undefined) selector = selector.and(labelRequirement(key, 'in', [value]));
  }
  return {
    topologyKey: c.topologyKey,
    maxSkew: c.maxSkew,
    minDomains: c.minDomains ?? 1,
    selector,
    countKey: countKey(selector, pod),
    honorAffinity: (c.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorTaints: c.nodeTaintsPolicy === 'Honor',
  };
}

/** Whether the node's pods count for the constraint (`nodeAffinityPolicy`, `nodeTaintsPolicy`). */
export function counts(c: SpreadConstraint, pod: Pod, { node }: NodeInfo): boolean {
  if (c.honorAffinity && !matchesRequiredNodeAffinity(pod, node)) return false;
  if (!c.honorTaints) return true;
  return !node.spec?.taints?.some((t) => t.effect !== 'PreferNoSchedule' && !toleratesAny(pod.spec?.tolerations, t));
}

/** Pods of the node that the selector finds; those on their way out do not count. */
export function countMatching(pods: readonly Pod[], selector: LabelSelector, namespace: string | undefined): number {
  let n = 0;
  for (let i = 0; i < pods.length; i++) {
    const p = pods[i] as Pod;
    if (!p.metadata.deletionTimestamp && p.metadata.namespace === namespace && selector.matches(p.metadata.labels)) n++;
  }
  return n;
}

export const countKey = (selector: LabelSelector, pod: Pod): string => `${pod.metadata.namespace ?? ''}\0${selector.toString()}`;

const remembered = new WeakMap<NodeInfo, Map<string, number>>();

/** As `countMatching`, counted once per picture of a node: a node on which nothing happened is not counted again. */
export function countOn(info: NodeInfo, c: Pick<SpreadConstraint, 'selector' | 'countKey'>, namespace: string | undefined): number {
  if (info.pods.length === 0) return 0;
  let counts = remembered.get(info);
  if (!counts) remembered.set(info, (counts = new Map()));
  let n = counts.get(c.countKey);
  if (n === undefined) counts.set(c.countKey, (n = countMatching(info.pods, c.selector, namespace)));
  return n;
}
