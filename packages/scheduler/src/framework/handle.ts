import type {
  AllocationResult,
  CSINode,
  DeviceClass,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodExtendedResourceClaimStatus,
  ResourceClaim,
  ResourceSlice,
  StorageClass,
} from '@coxswain/api';
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
  resourceClaim(namespace: string, name: string): ResourceClaim | undefined;
  resourceClaims(): Iterable<ResourceClaim>;
  resourceSlices(): Iterable<ResourceSlice>;
  deviceClass(name: string): DeviceClass | undefined;
  deviceClasses(): Iterable<DeviceClass>;
  disruptionBudgets(namespace: string): Iterable<PodDisruptionBudget>;
  /** What the Services and the controller of the pod select by, for spreading by default; undefined: nothing selects it. */
  defaultSelector(pod: Pod): LabelSelector | undefined;
  /** Pods with `status.nominatedNodeName` of this node that are not on it yet. */
  nominatedPods(node: string): readonly Pod[];
  isLeavingByPreemption(pod: Pod): boolean;
}

/** What is written to ResourceClaims. */
export interface ClaimActions {
  /** The pod may use the claim, with `allocation` if it had none. Resolves to the claim as written; rejects when others were faster. */
  reserve(claim: ResourceClaim, pod: Pod, allocation: AllocationResult | undefined, signal: AbortSignal): Promise<ResourceClaim>;
  /** The pod does not use it after all. */
  release(claim: ResourceClaim, pod: Pod, signal: AbortSignal): Promise<void>;
  /** Nobody uses it: its devices are free again. */
  deallocate(claim: ResourceClaim, signal: AbortSignal): Promise<void>;
  /** Resolves to the claim as written. */
  create(claim: ResourceClaim, signal: AbortSignal): Promise<ResourceClaim>;
  /** Whether or not it is protected; one that is gone already is fine. */
  remove(claim: ResourceClaim, signal: AbortSignal): Promise<void>;
  /** Writes to the pod's status which claim stands for its extended resources. */
  noteDevices(pod: Pod, status: PodExtendedResourceClaimStatus, signal: AbortSignal): Promise<void>;
}

/** What built-in plugins may do to the cluster. */
export interface ClusterActions {
  readonly claims: ClaimActions;
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
