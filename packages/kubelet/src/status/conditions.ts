import type { ContainerStatus, Pod, PodCondition } from '@coxswain/api';
import { isSidecar } from '../pod/pod-spec.js';
import type { ObservedPod } from '../pod/observed.js';
import { apiTime } from '../pod/time.js';
import type { PodPhase } from './phase.js';

export interface ConditionInput {
  readonly phase: PodPhase;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly observed: ObservedPod;
  readonly now: number;
  /** A resize that waits or that the runtime refused. */
  readonly resize?: ResizeCondition;
}

export type ResizeCondition = Pick<PodCondition, 'reason' | 'message'> & { readonly type: (typeof RESIZE)[number] };

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const OWNED = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'] as const;

const RESIZE = ['PodResizePending', 'PodResizeInProgress'] as const;

/** Conditions the kubelet writes and takes away again. */
export const TEMPORARY_CONDITIONS: readonly string[] = RESIZE;

/** Condition types the kubelet alone writes. */
export const OWNED_CONDITIONS: readonly string[] = OWNED;

/** The kubelet's own conditions, then whatever others wrote. A transition time moves only with its status. */
export function podConditions(pod: Pod, input: ConditionInput): PodCondition[] {
  const before = pod.status?.conditions ?? [];
  const containersReady = containersReadyCondition(pod, input);
  const verdicts: Record<(typeof OWNED)[number], Verdict> = {
    PodReadyToStartContainers: { status: sandboxReady(pod, input.observed) ? 'True' : 'False' },
    Initialized: initializedCondition(pod, input),
    Ready: readyCondition(pod, containersReady),
    ContainersReady: containersReady,
    PodScheduled: { status: 'True' },
  };
  const generation = pod.metadata?.generation;
  const own = OWNED.map((type): PodCondition => {
    const old = before.find((c) => c.type === type);
    const verdict = verdicts[type];
    return {
      type,
      ...(generation !== undefined ? { observedGeneration: generation } : {}),
      ...verdict,
      lastTransitionTime: old?.status === verdict.status && old.lastTransitionTime ? old.lastTransitionTime : apiTime(input.now),
    };
  });
  const others = before.filter((c) => !OWNED_CONDITIONS.includes(c.type) && !TEMPORARY_CONDITIONS.includes(c.type));
  return [...own, ...(input.resize ? [resizeCondition(input.resize, before, generation, input.now)] : []), ...others];
}

function resizeCondition(resize: ResizeCondition, before: readonly PodCondition[], generation: number | undefined, now: number): PodCondition {
  const old = before.find((c) => c.type === resize.type);
  return {
    ...resize,
    status: 'True',
    ...(generation !== undefined ? { observedGeneration: generation } : {}),
    lastTransitionTime: old?.lastTransitionTime ?? apiTime(now),
  };
}

function sandboxReady(pod: Pod, observed: ObservedPod): boolean {
  const sandbox = observed.sandboxes[0];
  return Boolean(sandbox?.ready && (pod.spec?.hostNetwork || sandbox.ips.length > 0));
}

function initializedCondition(pod: Pod, input: ConditionInput): Verdict {
  if (!pod.spec?.initContainers?.length) return { status: 'True' };
  if (input.phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const started = input.containerStatuses.some((s) => s.state?.running || s.state?.terminated || s.lastState?.terminated);
  const incomplete: string[] = [];
  for (const container of pod.spec.initContainers) {
    const status = input.initContainerStatuses.find((s) => s.name === container.name);
    const done = started || (isSidecar(container) ? status?.started === true : status?.state?.terminated?.exitCode === 0);
    if (!done) incomplete.push(container.name);
  }
  if (incomplete.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` };
}

function containersReadyCondition(pod: Pod, input: ConditionInput): Verdict {
  if (input.phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (input.phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unknown: string[] = [];
  const unready: string[] = [];
  const check = (name: string, statuses: readonly ContainerStatus[]) => {
    const status = statuses.find((s) => s.name === name);
    if (!status) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const c of pod.spec?.initContainers ?? []) if (isSidecar(c)) check(c.name, input.initContainerStatuses);
  for (const c of pod.spec?.containers ?? []) check(c.name, input.containerStatuses);
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: [${unknown.join(' ')}]`] : []),
    ...(unready.length > 0 ? [`containers with unready status: [${unready.join(' ')}]`] : []),
  ];
  return messages.length === 0 ? { status: 'True' } : { status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') };
}

function readyCondition(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length === 0 ? { status: 'True' } : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
