import type { ContainerState, ContainerStatus, Pod } from '../generated/types.js';
import { ageOf } from './human-duration.js';

/** What the READY, STATUS and RESTARTS columns say of a pod. */
export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  /** `3 (5m ago)` once a container was restarted. */
  readonly restarts: string;
}

interface Restarts {
  count: number;
  last: string | undefined;
}

/** The reason precedence of `kubectl get pods`. */
export function summarizePod(pod: Pod, now: number): PodSummary {
  const { status = {}, spec } = pod;
  let reason = status.reason || status.phase || '';
  if (hasCondition(pod, 'PodScheduled', undefined, 'SchedulingGated')) reason = 'SchedulingGated';
  const sidecars = new Set((spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
  const all: Restarts = { count: 0, last: undefined };
  const ofSidecars: Restarts = { count: 0, last: undefined };
  let ready = 0;
  let initializing = false;

  for (const [index, container] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(container.name);
    addRestarts(all, container);
    if (sidecar) addRestarts(ofSidecars, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    reason = `Init:${initReason(container.state) ?? `${index}/${spec?.initContainers?.length ?? 0}`}`;
    initializing = true;
    break;
  }

  let restarts = all;
  if (!initializing || hasCondition(pod, 'Initialized', 'True')) {
    restarts = ofSidecars;
    let running = false;
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      addRestarts(restarts, container);
      const { waiting, terminated, running: started } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = terminated.reason || exitReason(terminated);
      else if (container.ready && started) {
        running = true;
        ready++;
      }
    }
    if (reason === 'Completed' && running) reason = hasCondition(pod, 'Ready', 'True') ? 'Running' : 'NotReady';
  }

  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') reason = 'Terminating';
  }
  const ago = restarts.count > 0 && restarts.last !== undefined ? ` (${ageOf(restarts.last, now)} ago)` : '';
  return {
    ready: `${ready}/${(spec?.containers?.length ?? 0) + sidecars.size}`,
    status: reason,
    restarts: `${restarts.count}${ago}`,
  };
}

function addRestarts(sum: Restarts, container: ContainerStatus): void {
  sum.count += container.restartCount ?? 0;
  const finished = container.lastState?.terminated?.finishedAt;
  if (finished && (sum.last === undefined || Date.parse(finished) > Date.parse(sum.last))) sum.last = finished;
}

/** What keeps an init container from being done; undefined while it is simply running or about to. */
function initReason(state: ContainerState | undefined): string | undefined {
  if (state?.terminated) return state.terminated.reason || exitReason(state.terminated);
  const waiting = state?.waiting?.reason;
  return waiting && waiting !== 'PodInitializing' ? waiting : undefined;
}

const exitReason = ({ signal, exitCode }: { signal?: number; exitCode: number }): string => (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

function hasCondition(pod: Pod, type: string, status?: string, reason?: string): boolean {
  return (pod.status?.conditions ?? []).some(
    (condition) => condition.type === type && (status === undefined || condition.status === status) && (reason === undefined || condition.reason === reason),
  );
}
