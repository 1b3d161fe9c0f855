import type { KubeObject, Node, Pod } from '@coxswain/api';
import { token } from './token.js';

/** Outcome of an extension point. `unschedulable` may be helped by preemption or a cluster change; `unresolvable` not by preemption. */
export type SchedulingStatus =
  | { readonly code: 'success' }
  | { readonly code: 'skip' }
  /** `reasons`, when there are several, all show in the pod's condition; `reason` is the first. */
  | { readonly code: 'unschedulable' | 'unresolvable'; readonly reason: string; readonly reasons?: readonly string[] }
  | { readonly code: 'wait'; readonly timeoutMs: number }
  | { readonly code: 'error'; readonly error: Error };

export const success: SchedulingStatus = Object.freeze({ code: 'success' });

/** From preFilter or preScore: this plugin's filter or score has nothing to say about the pod and is left out of the cycle. */
export const skip: SchedulingStatus = Object.freeze({ code: 'skip' });

/** Resources of a node or a pod: milli-CPU, bytes, counts. */
export interface ResourceVector {
  readonly milliCpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  readonly scalar: ReadonlyMap<string, number>;
}

/** A node and its pods as of the start of the cycle. Never changed by plugins. */
export interface NodeInfo {
  readonly node: Node;
  readonly pods: readonly Pod[];
  readonly requested: ResourceVector;
  /** As `requested`, with the scheduler's default request for containers that ask for nothing; for scoring. */
  readonly nonZeroRequested: { readonly milliCpu: number; readonly memory: number };
  /** Those of `pods` with any inter-pod affinity or anti-affinity, and those with required anti-affinity. */
  readonly podsWithAffinity: readonly Pod[];
  readonly podsWithRequiredAntiAffinity: readonly Pod[];
  readonly allocatable: ResourceVector;
  readonly allowedPodNumber: number;
  /** `ip/protocol/port` of host ports in use. */
  readonly usedPorts: ReadonlySet<string>;
  readonly images: ReadonlyMap<string, number>;
}

/** Per-cycle scratch space, shared by the extension points of one attempt. */
export interface CycleState {
  read<T>(key: symbol): T | undefined;
  write<T>(key: symbol, value: T): void;
  /** A state whose values are cloned where they have a `clone()` method: for preemption's "what if". */
  clone(): CycleState;
}

export interface QueuedPod {
  readonly pod: Pod;
  /** Milliseconds since the epoch it was first queued. */
  readonly queuedAt: number;
  readonly attempts: number;
}

/** Changes that may make an unschedulable pod schedulable; a plugin names those it cares for, so that the rest cause no work. */
export interface ClusterEvent {
  readonly resource:
    | 'Pod'
    | 'AssignedPod'
    | 'Node'
    | 'PersistentVolume'
    | 'PersistentVolumeClaim'
    | 'StorageClass'
    | 'ResourceClaim'
    | 'ResourceSlice'
    | 'DeviceClass'
    | 'Service'
    | 'Namespace'
    | '*';
  readonly action: 'add' | 'update' | 'delete';
  /** Whether this very change may help the pod. Absent: it may. */
  readonly helps?: (pod: Pod, before: KubeObject | undefined, after: KubeObject | undefined) => boolean;
}

/** preFilter's answer; `nodes`, when given, are the only ones looked at. */
export interface PreFilterResult {
  readonly status: SchedulingStatus;
  readonly nodes?: ReadonlySet<string>;
}

/** What postFilter did about a pod that fits nowhere. */
export interface PostFilterResult {
  /** Room is being made on this node: the pod is tried again once it is free. */
  readonly nominatedNode?: string;
  /** Appended to the pod's condition: `preemption: 0/3 nodes are available: …`. */
  readonly message?: string;
}

/** A pod whose permit plugins said `wait`: placed, its node's resources held, not yet bound. */
export interface WaitingPod {
  readonly pod: Pod;
  readonly node: string;
  /** Names of the plugins it waits for. */
  readonly waitsFor: readonly string[];
}

/** What the scheduler offers to its plugins. */
export interface SchedulerHost {
  waitingPods(): readonly WaitingPod[];
  /** The plugin lets the pod go on; it is bound once all it waits for did. */
  allow(plugin: string, pod: Pod): void;
  /** The pod is turned away and tried again later. */
  reject(plugin: string, pod: Pod, reason: string): void;
  /** Try these pods now, wherever they wait. */
  activate(pods: Iterable<Pod>): void;
  nodes(): readonly NodeInfo[];
}

/**
 * A scheduler plugin: a name and the extension points it implements, called in the order of `Scheduler` configuration.
 * `filter` and `score` are called in tight loops and are synchronous; everything with I/O is asynchronous.
 */
export interface SchedulerPlugin {
  readonly name: string;
  /** Told once, before the first cycle: what it may do outside of the extension points. */
  readonly start?: (host: SchedulerHost) => void;
  readonly events?: readonly ClusterEvent[];
  /** Sort order of the active queue; exactly one plugin has it. */
  readonly less?: (a: QueuedPod, b: QueuedPod) => boolean;
  readonly preEnqueue?: (pod: Pod) => SchedulingStatus;
  /** May narrow the nodes to look at. */
  readonly preFilter?: (state: CycleState, pod: Pod, nodes: readonly NodeInfo[]) => PreFilterResult;
  readonly filter?: (state: CycleState, pod: Pod, node: NodeInfo) => SchedulingStatus;
  /**
   * For plugins whose `filter` and `score` look at nothing but the node as it is given, their own constants, and what of the pod is in this text:
   * pods with equal texts are not asked about again on a node where nothing changed since. Undefined: ask about this pod every time.
   * preFilter, if there is one, may skip only for what is in the text.
   */
  readonly sign?: (pod: Pod) => string | undefined;
  /** Incremental updates of what preFilter computed, for trying "what if this pod were (not) there" in preemption. */
  readonly addPod?: (state: CycleState, pod: Pod, added: Pod, node: NodeInfo) => SchedulingStatus;
  readonly removePod?: (state: CycleState, pod: Pod, removed: Pod, node: NodeInfo) => SchedulingStatus;
  readonly postFilter?: (state: CycleState, pod: Pod, refused: ReadonlyMap<string, SchedulingStatus>, signal: AbortSignal) => Promise<PostFilterResult>;
  readonly preScore?: (state: CycleState, pod: Pod, nodes: readonly NodeInfo[]) => SchedulingStatus;
  /** Any number; `normalize` brings all to 0–100. */
  readonly score?: (state: CycleState, pod: Pod, node: NodeInfo) => number;
  /** Changes `scores` in place; `scores[i]` belongs to `nodes[i]`. */
  readonly normalize?: (state: CycleState, pod: Pod, nodes: readonly NodeInfo[], scores: Float64Array) => void;
  readonly weight?: number;
  readonly reserve?: (state: CycleState, pod: Pod, node: string) => SchedulingStatus;
  readonly unreserve?: (state: CycleState, pod: Pod, node: string) => void;
  readonly permit?: (state: CycleState, pod: Pod, node: string) => SchedulingStatus;
  /** Whether `preBind` has something to do for the pod: `skip` leaves it out. Until the rest is done the pod's status names the node. Absent: it may. */
  readonly preBindPreFlight?: (state: CycleState, pod: Pod, node: string) => SchedulingStatus;
  readonly preBind?: (state: CycleState, pod: Pod, node: string, signal: AbortSignal) => Promise<SchedulingStatus>;
  /** `skip` passes on to the next binder. */
  readonly bind?: (state: CycleState, pod: Pod, node: string, signal: AbortSignal) => Promise<SchedulingStatus>;
  readonly postBind?: (state: CycleState, pod: Pod, node: string) => void;
}

export const SchedulerPlugin = token<SchedulerPlugin>('coxswain.scheduler.v1');
