import type { NodeAffinity, TopologySpreadConstraint } from '@coxswain/api';
import { HOSTNAME_LABEL, ZONE_LABEL } from '../cache/node-order.js';
import type { ShapePoint } from './scoring-shape.js';

export interface ResourceWeight {
  readonly name: string;
  readonly weight: number;
}

/** How a node's use is told as a score. */
export type ScoringStrategy =
  | { readonly type: 'LeastAllocated' | 'MostAllocated'; readonly resources: readonly ResourceWeight[] }
  | { readonly type: 'RequestedToCapacityRatio'; readonly resources: readonly ResourceWeight[]; readonly shape: readonly ShapePoint[] };

export interface FitArgs {
  readonly scoringStrategy: ScoringStrategy;
  /** Extended resources the filter does not look at, by name and by what is before their slash. */
  readonly ignoredResources: readonly string[];
  readonly ignoredResourceGroups: readonly string[];
}

/** A default constraint has no selector: the pod's Services and controllers give it. */
export type DefaultSpreadConstraint = Pick<TopologySpreadConstraint, 'maxSkew' | 'topologyKey' | 'whenUnsatisfiable'>;

/** What the default plugins can be told, by plugin name (`pluginConfig[]` of kubescheduler.config.k8s.io/v1). */
export interface PluginArgs {
  readonly NodeResourcesFit: FitArgs;
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly ResourceWeight[] };
  /** Every pod must, and would rather, be where this says, too. */
  readonly NodeAffinity: { readonly addedAffinity: NodeAffinity | undefined };
  readonly InterPodAffinity: {
    /** What a required affinity of a pod already there is worth in scores. */
    readonly hardPodAffinityWeight: number;
    readonly ignorePreferredTermsOfExistingPods: boolean;
  };
  readonly PodTopologySpread: {
    readonly defaultConstraints: readonly DefaultSpreadConstraint[];
    /** System: nodes that lack a constraint's label are still scored. */
    readonly defaultingType: 'System' | 'List';
  };
  readonly DefaultPreemption: { readonly minCandidateNodesPercentage: number; readonly minCandidateNodesAbsolute: number };
  /** How long devices for one node are searched for; 0: as long as it takes. */
  readonly DynamicResources: { readonly filterTimeoutMs: number; readonly bindingTimeoutMs: number };
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number };
}

const cpuAndMemory: readonly ResourceWeight[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** Upstream's defaults. */
export const defaultPluginArgs: PluginArgs = {
  NodeResourcesFit: { scoringStrategy: { type: 'LeastAllocated', resources: cpuAndMemory }, ignoredResources: [], ignoredResourceGroups: [] },
  NodeResourcesBalancedAllocation: { resources: cpuAndMemory },
  NodeAffinity: { addedAffinity: undefined },
  InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  PodTopologySpread: {
    defaultConstraints: [
      { topologyKey: HOSTNAME_LABEL, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
      { topologyKey: ZONE_LABEL, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
    ],
    defaultingType: 'System',
  },
  DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  DynamicResources: { filterTimeoutMs: 10_000, bindingTimeoutMs: 600_000 },
  VolumeBinding: { bindTimeoutSeconds: 600 },
};
