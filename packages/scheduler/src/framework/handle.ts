import type { CSINode, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, StorageClass } from '@coxswain/api';
import type { LabelSelector } from '@coxswain/apimachinery';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { Extender } from '../extenders/extender.js';
import type { Snapshot } from '../cache/scheduler-cache.js';

/** What built-in plugins may look at besides the nodes of the cycle. Reads only, from informers; all synchronous. */
export interface ClusterView {
  snapshot(): Snapshot;
  namespace(name: string): Namespace | undefined;
  namespaces(): Iterable<Namespace>;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): Iterable<PersistentVolume>;
  storageClass(name: string): StorageClass | undefined;
  csiNode(name: string): CSINode | undefined;
  disruptionBudgets(namespace: string): Iterable<PodDisruptionBudget>;
  /** What the Services and the controller of the pod select by, for spreading by default; undefined: nothing selects it. */
  defaultSelector(pod: Pod): LabelSelector | undefined;
  /** Pods with `status.nominatedNodeName` of this node that are not on it yet. */
  nominatedPods(node: string): readonly Pod[];
  isLeavingByPreemption(pod: Pod): boolean;
}

/** What built-in plugins may do to the cluster. */
export interface ClusterActions {
  bind(pod: Pod, node: string, signal: AbortSignal): Promise<void>;
  /** Mark the victim as disrupted and delete it. */
  evict(victim: Pod, preemptor: Pod, node: string, signal: AbortSignal): Promise<void>;
  clearNomination(pod: Pod, signal: AbortSignal): Promise<void>;
  bindClaim(claim: PersistentVolumeClaim, volume: PersistentVolume, signal: AbortSignal): Promise<void>;
  annotateSelectedNode(claim: PersistentVolumeClaim, node: string, signal: AbortSignal): Promise<void>;
  waitForBoundClaims(claims: readonly PersistentVolumeClaim[], timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export interface SchedulerHandle {
  readonly extenders: readonly Extender[];
  readonly logger: Logger;
  readonly view: ClusterView;
  readonly actions: ClusterActions;
  readonly clock: Clock;
  readonly random: Random;
}
