import type { ContainerStatus, Pod } from '@coxswain/api';
import { findContainer, isSidecar } from '../pod/pod-spec.js';
import { restartsAfterExit } from '../pod/restart-rules.js';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseInput {
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  /** Nothing will start again, whatever the policy. */
  readonly terminating: boolean;
}

/** The one-word summary of a pod (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase). */
export function podPhase(pod: Pod, input: PhaseInput): PodPhase {
  const count = { running: 0, waiting: 0, stopped: 0, failed: 0, again: 0 };
  const started = input.containerStatuses.some((s) => s.state?.running || s.state?.terminated || s.lastState?.terminated);
  const init = initState(pod, input.initContainerStatuses);
  if (init === 'failed') return 'Failed';
  for (const container of pod.spec?.containers ?? []) {
    const status = input.containerStatuses.find((s) => s.name === container.name);
    const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined);
    if (status?.state?.running) count.running++;
    else if (ended) {
      count.stopped++;
      if (ended.exitCode !== 0) count.failed++;
      const ref = findContainer(pod, container.name);
      if (!input.terminating && (status?.state?.waiting || (ref && restartsAfterExit(pod, ref, ended.exitCode)))) count.again++;
    } else count.waiting++;
  }
  if (init === 'pending' && !started && !input.terminating) return 'Pending';
  if (count.waiting > 0) {
    if (input.terminating) return count.running > 0 ? 'Running' : count.stopped > 0 || init === 'done' ? 'Failed' : 'Pending';
    return 'Pending';
  }
  if (count.running > 0) return 'Running';
  if (count.stopped > 0) {
    if (count.again > 0) return 'Running';
    return count.failed > 0 ? 'Failed' : 'Succeeded';
  }
  return 'Pending';
}

function initState(pod: Pod, statuses: readonly ContainerStatus[]): 'done' | 'pending' | 'failed' {
  let pending = false;
  for (const container of pod.spec?.initContainers ?? []) {
    const status = statuses.find((s) => s.name === container.name);
    if (isSidecar(container)) {
      if (!status?.started && !status?.state?.terminated) pending = true;
      continue;
    }
    const ended = status?.state?.terminated;
    if (ended?.exitCode === 0) continue;
    pending = true;
    const ref = findContainer(pod, container.name);
    if (ended && ref && !restartsAfterExit(pod, ref, ended.exitCode)) return 'failed';
  }
  return pending ? 'pending' : 'done';
}
