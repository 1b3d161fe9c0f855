import type { Container, ContainerStatus, Pod, Probe } from '@coxswain/api';
import type { Clock, Random } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import type { ProbeResult, ProbeView } from '../pod/decide.js';
import type { ObservedPod } from '../pod/observed.js';
import { podContainers } from '../pod/pod-spec.js';
import { ProbeWorker, type ProbeType } from './probe-worker.js';
import type { ProbeRunner } from './run-probe.js';

export interface ProbeManagerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly run: ProbeRunner;
  readonly events: KubeletEvents;
  /** A verdict changed: the pod is to be looked at. */
  readonly changed: (uid: string) => void;
  /** When this kubelet started, ms: probes of containers older than it are spread. */
  readonly bornAt: number;
  readonly count?: (type: ProbeType, outcome: string, pod: Pod, container: string) => void;
}

const TITLE: Readonly<Record<ProbeType, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };

interface Tracked {
  readonly uid: string;
  readonly workers: Map<ProbeType, ProbeWorker>;
  pod: Pod;
  podIP: string | undefined;
}

/** The probes of all running containers, by container id, and what they found. */
export class ProbeManager implements ProbeView {
  readonly #deps: ProbeManagerDeps;
  readonly #containers = new Map<string, Tracked>();

  constructor(deps: ProbeManagerDeps) {
    this.#deps = deps;
  }

  /** Start what is missing for running containers, stop what ended. `only`: readiness alone goes on while a pod stops. */
  sync(pod: Pod, observed: ObservedPod, podIP: string | undefined, only?: 'readiness'): void {
    const uid = pod.metadata?.uid ?? '';
    const running = new Set<string>();
    for (const { container, kind } of podContainers(pod)) {
      if (kind === 'init' || kind === 'ephemeral') continue;
      const { startupProbe, livenessProbe, readinessProbe } = container;
      if (!startupProbe && !livenessProbe && !readinessProbe) continue;
      const found = observed.containers.find((c) => c.name === container.name);
      if (found?.phase !== 'running') continue;
      running.add(found.id);
      let tracked = this.#containers.get(found.id);
      if (!tracked) {
        tracked = { uid, workers: new Map(), pod, podIP };
        this.#containers.set(found.id, tracked);
      }
      tracked.pod = pod;
      tracked.podIP = podIP ?? tracked.podIP;
      const started = !startupProbe || this.startup(found.id) === 'success';
      if (startupProbe && !only) this.#ensure(tracked, 'startup', startupProbe, container, found);
      if (livenessProbe && started && !only) this.#ensure(tracked, 'liveness', livenessProbe, container, found);
      if (readinessProbe && started) this.#ensure(tracked, 'readiness', readinessProbe, container, found);
      if (only) for (const type of ['liveness', 'startup'] as const) tracked.workers.get(type)?.stop();
    }
    for (const [id, tracked] of this.#containers) if (tracked.uid === uid && !running.has(id)) this.#drop(id);
  }

  forget(uid: string): void {
    for (const [id, tracked] of this.#containers) if (tracked.uid === uid) this.#drop(id);
  }

  close(): void {
    for (const id of [...this.#containers.keys()]) this.#drop(id);
  }

  liveness(id: string): ProbeResult {
    return resultOf(this.#containers.get(id)?.workers.get('liveness')?.verdict ?? true);
  }

  startup(id: string): ProbeResult {
    return resultOf(this.#containers.get(id)?.workers.get('startup')?.verdict);
  }

  /** Ready as far as probes go. */
  readiness(container: Container, id: string): boolean {
    return !container.readinessProbe || this.#containers.get(id)?.workers.get('readiness')?.verdict === true;
  }

  started(container: Container, id: string): boolean {
    return !container.startupProbe || this.startup(id) === 'success';
  }

  #ensure(tracked: Tracked, type: ProbeType, probe: Probe, container: Container, found: { readonly id: string; readonly startedAt: number }): void {
    if (tracked.workers.has(type)) return;
    const { clock, random, run, events, changed, bornAt } = this.#deps;
    const old = found.startedAt < bornAt;
    const before = old ? statusBefore(tracked.pod, container.name, found.id) : undefined;
    const initial = type === 'liveness' ? true : type === 'readiness' ? before?.ready === true : before?.started === true ? true : undefined;
    const worker = new ProbeWorker({
      type,
      probe,
      clock,
      startedAt: found.startedAt,
      spread: old ? random.next() : 0,
      initial,
      check: async () => {
        const answer = await run(probe, { container, containerId: found.id, podIP: tracked.podIP });
        this.#deps.count?.(type, answer.outcome, tracked.pod, container.name);
        return answer;
      },
      failed: ({ outcome, message }) => {
        if (outcome === 'failure') events.pod(tracked.pod, 'Warning', 'Unhealthy', `${TITLE[type]} probe failed: ${message}`, container.name);
        else if (outcome === 'warning') events.pod(tracked.pod, 'Warning', 'ProbeWarning', `${TITLE[type]} probe warning: ${message}`, container.name);
        else events.pod(tracked.pod, 'Warning', 'Unhealthy', `${TITLE[type]} probe errored and resulted in unknown state: ${message}`, container.name);
      },
      decided: () => changed(tracked.uid),
    });
    tracked.workers.set(type, worker);
    // An adopted container that had started needs no second startup check.
    if (!(type === 'startup' && initial)) worker.start();
  }

  #drop(id: string): void {
    for (const worker of this.#containers.get(id)?.workers.values() ?? []) worker.stop();
    this.#containers.delete(id);
  }
}

const resultOf = (verdict: boolean | undefined): ProbeResult => (verdict === undefined ? 'unknown' : verdict ? 'success' : 'failure');

function statusBefore(pod: Pod, name: string, id: string): ContainerStatus | undefined {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return all.find((s) => s.name === name && s.containerID?.endsWith(`://${id}`));
}
