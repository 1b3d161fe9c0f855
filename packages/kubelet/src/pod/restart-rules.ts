import { type Pod, restartsAfterExit as restartsByPolicy, restartsByRule } from '@coxswain/api';
import type { ObservedContainer } from './observed.js';
import type { ContainerRef } from './pod-spec.js';

/**
 * Whether an ended container starts again by the rules of the spec, leaving back-off aside. Rules on exit codes come first, then the container's own policy,
 * then the pod's. Init containers fail the pod only with policy Never.
 */
export function restartsAfterExit(pod: Pod, ref: ContainerRef, exitCode: number): boolean {
  const { container, kind } = ref;
  if (kind === 'ephemeral') return false;
  if (kind === 'sidecar') return true;
  // An init container that succeeded is done, whatever the policy.
  if (kind === 'init' && exitCode === 0 && !restartsByRule(container, exitCode)) return false;
  return restartsByPolicy(container, pod.spec?.restartPolicy, exitCode);
}

/** Whether the container should be running and is not. */
export function shouldStart(pod: Pod, ref: ContainerRef, latest: ObservedContainer | undefined): boolean {
  if (pod.metadata?.deletionTimestamp) return false;
  if (!latest) return true;
  switch (latest.phase) {
    case 'running':
      return false;
    // Made but never started, or lost by the runtime: a start that broke off. Try again.
    case 'created':
    case 'unknown':
      return ref.kind !== 'ephemeral';
    case 'exited':
      return restartsAfterExit(pod, ref, latest.exitCode);
  }
}
