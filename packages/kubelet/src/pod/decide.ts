import type { Pod } from '@coxswain/api';
import { containerHash } from './container-hash.js';
import { containerInSandbox, latestContainer, type ObservedContainer, type ObservedPod, type ObservedSandbox } from './observed.js';
import { type ContainerRef, isSidecar, podContainers } from './pod-spec.js';
import { shouldStart } from './restart-rules.js';

export type ProbeResult = 'success' | 'failure' | 'unknown';

export interface ProbeView {
  liveness(containerId: string): ProbeResult;
  startup(containerId: string): ProbeResult;
}

export interface DecideInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly probes: ProbeView;
  /** Milliseconds a container that ended at `finishedAt` has to wait before it starts again. */
  readonly backoff: (container: string, finishedAt: number) => number;
}

export type KillReason = 'definitionChanged' | 'livenessFailed' | 'startupFailed' | 'unknownState';

export interface KillAction {
  readonly id: string;
  readonly name: string;
  readonly reason: KillReason;
  readonly message: string;
}

export interface StartAction {
  readonly ref: ContainerRef;
  readonly restartCount: number;
  /** When the previous one ended, ms; absent for the first start. */
  readonly finishedAt?: number;
}

export interface WaitAction {
  readonly ref: ContainerRef;
  /** Milliseconds until its back-off ends. */
  readonly remaining: number;
}

/** What to do for one pod, in this order: stop the pod or single containers, make a sandbox, start containers. */
export interface PodActions {
  /** Stop everything: the sandbox is to be replaced, or no container is left to run. */
  readonly stopPod: boolean;
  readonly createSandbox: boolean;
  /** Number of the sandbox to make, or of the current one. */
  readonly attempt: number;
  readonly sandbox?: ObservedSandbox;
  readonly kill: readonly KillAction[];
  readonly start: readonly StartAction[];
  readonly wait: readonly WaitAction[];
}

interface Plan {
  kill: KillAction[];
  start: StartAction[];
  wait: WaitAction[];
}

/** Whether the pod needs another sandbox, and which number it gets. */
export function sandboxVerdict(pod: Pod, observed: ObservedPod): { readonly create: boolean; readonly attempt: number; readonly current?: ObservedSandbox } {
  const newest = observed.sandboxes[0];
  if (!newest) return { create: true, attempt: 0 };
  const ready = observed.sandboxes.filter((s) => s.ready);
  const fits = newest.hostNetwork === Boolean(pod.spec?.hostNetwork) && (newest.hostNetwork || newest.ips.length > 0);
  if (ready.length === 1 && newest.ready && fits) return { create: false, attempt: newest.attempt, current: newest };
  return { create: true, attempt: newest.attempt + 1, current: newest };
}

/** The kubelet's decision: a pure function of the pod, what the runtime holds, what the probes said, and the back-off. */
export function decide(input: DecideInput): PodActions {
  const { pod, observed } = input;
  const sandbox = sandboxVerdict(pod, observed);
  if (sandbox.create) return withNewSandbox(input, sandbox.attempt);

  const current = sandbox.current as ObservedSandbox;
  const plan: Plan = { kill: [], start: [], wait: [] };
  const base = { createSandbox: false, attempt: sandbox.attempt, sandbox: current };
  planEphemeral(input, plan);
  const init = planInit(input, current, plan);
  if (init === 'failed') return { ...base, stopPod: true, kill: [], start: [], wait: [] };
  if (init === 'pending') return { ...base, stopPod: false, ...plan };
  const left = planRegular(input, plan);
  if (!left) return { ...base, stopPod: true, kill: [], start: [], wait: [] };
  return { ...base, stopPod: false, ...plan };
}

function withNewSandbox(input: DecideInput, attempt: number): PodActions {
  const { pod, observed } = input;
  const stopPod = observed.sandboxes.some((s) => s.ready) || observed.containers.some((c) => c.phase === 'running');
  // Nothing may start again: the pod is over.
  const nothing = { stopPod: true, createSandbox: false, attempt, kill: [], start: [], wait: [] };
  const refs = podContainers(pod);
  const regular = refs.filter((r) => r.kind === 'regular');
  // With policy Never a pod that ran once is not run again in another sandbox.
  const ranBefore = observed.containers.length > 0;
  const wanted = regular.filter((ref) => {
    const latest = latestContainer(observed, ref.container.name);
    // The container died with its sandbox: what counts is whether it may start again.
    return shouldStart(pod, ref, latest?.phase === 'running' ? { ...latest, phase: 'exited', exitCode: 137 } : latest);
  });
  if (pod.spec?.restartPolicy === 'Never' && attempt > 0 && ranBefore && !regular.some((r) => r.container.restartPolicy || r.container.restartPolicyRules))
    return nothing;
  if (wanted.length === 0) return nothing;

  const plan: Plan = { kill: [], start: [], wait: [] };
  const init = refs.filter((r) => r.kind === 'init' || r.kind === 'sidecar');
  const first = init[0];
  if (first) planStart(input, first, plan);
  else for (const ref of wanted) planStart(input, ref, plan);
  return { stopPod, createSandbox: true, attempt, ...plan };
}

/** Walks the init containers in order up to the one everything waits for. */
function planInit(input: DecideInput, sandbox: ObservedSandbox, plan: Plan): 'done' | 'pending' | 'failed' {
  const { pod, observed, probes } = input;
  const spec = pod.spec;
  // Once a regular container exists in this sandbox, the ordinary init containers have done their work, even when they were cleaned up since.
  const initialized = (spec?.containers ?? []).some((c) => containerInSandbox(observed, c.name, sandbox.id));
  for (const container of spec?.initContainers ?? []) {
    const ref: ContainerRef = { kind: isSidecar(container) ? 'sidecar' : 'init', container };
    const latest = containerInSandbox(observed, container.name, sandbox.id);
    if (ref.kind === 'sidecar') {
      if (latest?.phase === 'running') {
        const verdict = changeVerdict(ref, latest) ?? probeVerdict(ref, latest, probes);
        if (verdict) {
          plan.kill.push(verdict);
          planStart(input, ref, plan, latest);
        }
        const started = !verdict && (!container.startupProbe || probes.startup(latest.id) === 'success');
        if (!started && !initialized) return 'pending';
      } else {
        if (latest?.phase === 'unknown') plan.kill.push(unknownState(latest));
        planStart(input, ref, plan, latest);
        if (!initialized) return 'pending';
      }
      continue;
    }
    if (initialized) continue;
    if (latest?.phase === 'running') return 'pending';
    if (latest?.phase === 'exited' && latest.exitCode === 0) continue;
    if (latest && !shouldStart(pod, ref, latest)) return 'failed';
    if (latest?.phase === 'unknown') plan.kill.push(unknownState(latest));
    planStart(input, ref, plan, latest);
    return 'pending';
  }
  return 'done';
}

/** Returns whether any regular container runs or is going to. */
function planRegular(input: DecideInput, plan: Plan): boolean {
  const { pod, observed, probes } = input;
  let left = false;
  for (const container of pod.spec?.containers ?? []) {
    const ref: ContainerRef = { kind: 'regular', container };
    const latest = latestContainer(observed, container.name);
    if (latest?.phase !== 'running') {
      if (!shouldStart(pod, ref, latest)) continue;
      left = true;
      if (latest?.phase === 'unknown') plan.kill.push(unknownState(latest));
      planStart(input, ref, plan, latest);
      continue;
    }
    const changed = changeVerdict(ref, latest);
    const verdict = changed ?? probeVerdict(ref, latest, probes);
    if (!verdict) {
      left = true;
      continue;
    }
    plan.kill.push(verdict);
    const again = changed !== undefined || shouldStart(pod, ref, { ...latest, phase: 'exited', exitCode: 137 });
    if (again) planStart(input, ref, plan, latest);
    // Also without a restart the pod is not over before the container has stopped.
    left = true;
  }
  return left;
}

function planEphemeral(input: DecideInput, plan: Plan): void {
  for (const ref of podContainers(input.pod)) {
    if (ref.kind === 'ephemeral' && !latestContainer(input.observed, ref.container.name)) planStart(input, ref, plan);
  }
}

function planStart(input: DecideInput, ref: ContainerRef, plan: Plan, inSandbox?: ObservedContainer): void {
  const latest = inSandbox ?? latestContainer(input.observed, ref.container.name);
  // One that runs is to be stopped first: how long it has run since the one before it ended is what counts.
  const ended = input.observed.containers.find((c) => c.name === ref.container.name && c.phase === 'exited');
  if (ended) {
    const remaining = input.backoff(ref.container.name, ended.finishedAt);
    if (remaining > 0) {
      plan.wait.push({ ref, remaining });
      return;
    }
  }
  const restartCount = latest ? latest.restartCount + 1 : 0;
  plan.start.push({ ref, restartCount, ...(ended ? { finishedAt: ended.finishedAt } : {}) });
}

/** Of a container that runs what its pod does not say any more. */
function changeVerdict(ref: ContainerRef, running: ObservedContainer): KillAction | undefined {
  if (running.hash === '' || running.hash === containerHash(ref.container)) return undefined;
  return { id: running.id, name: ref.container.name, reason: 'definitionChanged', message: `${titleOf(ref)} definition changed` };
}

function probeVerdict(ref: ContainerRef, running: ObservedContainer, probes: ProbeView): KillAction | undefined {
  const { startupProbe, livenessProbe, name } = ref.container;
  if (startupProbe && probes.startup(running.id) === 'failure')
    return { id: running.id, name, reason: 'startupFailed', message: `${titleOf(ref)} failed startup probe` };
  if (livenessProbe && probes.liveness(running.id) === 'failure')
    return { id: running.id, name, reason: 'livenessFailed', message: `${titleOf(ref)} failed liveness probe` };
  return undefined;
}

const titleOf = ({ kind, container }: ContainerRef) => `${kind === 'sidecar' ? 'Init container' : 'Container'} ${container.name}`;

const unknownState = (c: ObservedContainer): KillAction => ({
  id: c.id,
  name: c.name,
  reason: 'unknownState',
  message: `Container is in "unknown" state, try killing it before restart`,
});
