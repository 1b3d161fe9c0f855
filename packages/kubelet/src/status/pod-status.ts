import type { Pod, PodCondition, PodStatus, ResourceRequirements } from '@coxswain/api';
import { extendedResourceClaimOf } from '@coxswain/apimachinery';
import type { ObservedPod } from '../pod/observed.js';
import { isSidecar } from '../pod/pod-spec.js';
import { qosClass } from '../pod/qos.js';
import { apiTime } from '../pod/time.js';
import { podConditions, type ResizeCondition } from './conditions.js';
import { containerStatuses, type StatusView } from './container-statuses.js';
import { podPhase, type PodPhase } from './phase.js';

export interface PodStatusInput extends StatusView {
  readonly now: number;
  /** Addresses of the node, the main one first. */
  readonly hostIPs: readonly string[];
  /** Ends the pod for a reason outside its containers: a deadline, eviction, admission. */
  readonly verdict?: PodVerdict;
  readonly resize?: ResizeCondition;
  /** What is in force of the resources the pod as a whole asks for. */
  readonly ownResources?: ResourceRequirements | undefined;
}

export interface PodVerdict {
  readonly phase: 'Failed';
  readonly reason: string;
  readonly message: string;
  /** It was not admitted: there have never been containers to tell of. */
  readonly rejected?: boolean;
  /** A condition to add (DisruptionTarget). */
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;
}

/** The whole status of a pod. Pure: what was in the pod's old status and cannot be seen any more is carried over. */
export function podStatus(pod: Pod, observed: ObservedPod, input: PodStatusInput): PodStatus {
  const before = pod.status ?? {};
  const lists = containerStatuses(pod, observed, input);
  const computed = podPhase(pod, { ...lists, terminating: input.terminating });
  const phase = settledPhase(pod, observed, input.verdict ? 'Failed' : computed, input.terminating);
  const readinessPhase: PodPhase = input.verdict ? 'Failed' : computed;
  const conditions = podConditions(pod, { ...lists, phase: readinessPhase, observed, now: input.now, ...(input.resize ? { resize: input.resize } : {}) });
  const extra = input.verdict?.condition;
  if (extra) {
    const old = conditions.findIndex((c) => c.type === extra.type);
    const added: PodCondition = {
      ...extra,
      lastTransitionTime: apiTime(input.now),
      ...(pod.metadata?.generation !== undefined ? { observedGeneration: pod.metadata.generation } : {}),
    };
    if (old < 0) conditions.push(added);
    else if (conditions[old]?.status !== extra.status) conditions[old] = added;
  }
  const reason = input.verdict ? { reason: input.verdict.reason, message: input.verdict.message } : terminal(phase) || before.reason ? pick(before) : {};
  return {
    ...(pod.metadata?.generation !== undefined ? { observedGeneration: pod.metadata.generation } : {}),
    phase,
    ...reason,
    conditions,
    ...addresses(pod, observed, input.hostIPs),
    startTime: before.startTime ?? apiTime(input.now),
    ...(input.verdict?.rejected || wasRejected(pod, observed) ? {} : statusesOf(lists)),
    qosClass: qosClass(pod),
    ...ownResources(input.ownResources),
  };
}

/** As its status has it: an end without any container. */
const wasRejected = ({ status }: Pod, observed: ObservedPod) => terminal(status?.phase) && !status?.containerStatuses && observed.containers.length === 0;

function statusesOf(lists: ReturnType<typeof containerStatuses>): Partial<PodStatus> {
  return {
    ...(lists.initContainerStatuses.length > 0 ? { initContainerStatuses: lists.initContainerStatuses } : {}),
    containerStatuses: lists.containerStatuses,
    ...(lists.ephemeralContainerStatuses.length > 0 ? { ephemeralContainerStatuses: lists.ephemeralContainerStatuses } : {}),
  };
}

const ownResources = (resources: ResourceRequirements | undefined): Pick<PodStatus, 'allocatedResources' | 'resources'> =>
  resources ? { ...(resources.requests ? { allocatedResources: { ...resources.requests } } : {}), resources } : {};

const terminal = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed';
const pick = ({ reason, message }: PodStatus) => ({ ...(reason ? { reason } : {}), ...(message ? { message } : {}) });

/**
 * A terminal phase is for ever, and is not told before everything has stopped and, for a pod with resource claims, its devices have been given
 * back: whoever hears of it may give them to the next pod.
 */
function settledPhase(pod: Pod, observed: ObservedPod, computed: PodPhase, terminating: boolean): PodPhase {
  const before = pod.status?.phase;
  if (before === 'Succeeded' || before === 'Failed') return before;
  if (!terminal(computed)) return computed;
  const sidecars = pod.spec?.initContainers?.some(isSidecar);
  const running = observed.containers.some((c) => c.phase === 'running');
  const claims = Boolean(pod.spec?.resourceClaims?.length) || extendedResourceClaimOf(pod) !== undefined;
  if (!running && (terminating || !claims)) return computed;
  return sidecars || before === 'Running' ? 'Running' : ((before as PodPhase | undefined) ?? 'Running');
}

function addresses(pod: Pod, observed: ObservedPod, hostIPs: readonly string[]): Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'> {
  const before = pod.status;
  const host = hostIPs[0];
  const sandboxIPs = observed.sandboxes[0]?.ips ?? [];
  const own = pod.spec?.hostNetwork ? (observed.sandboxes.length > 0 ? hostIPs : []) : sandboxIPs;
  // Stopping the sandbox takes its address; what it was stays readable, as upstream's does.
  const ips = own.length > 0 ? [...own] : (before?.podIPs?.map((p) => p.ip) ?? []);
  const stopped = own.length === 0 && observed.sandboxes.length === 0 && !terminal(before?.phase) && !pod.metadata?.deletionTimestamp;
  const show = stopped ? [] : ips;
  return {
    ...(host ? { hostIP: host, hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(show[0] ? { podIP: show[0], podIPs: show.map((ip) => ({ ip })) } : {}),
  };
}
