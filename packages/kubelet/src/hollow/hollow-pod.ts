import type { Pod } from '@coxswain/api';
import { formatDuration } from '@coxswain/apimachinery';
import { type CriConnection, isRpcError, NamespaceMode } from '@coxswain/cri';
import type { CancelTimer, Clock } from '@coxswain/sdk';
import { Backoff, type BackoffOptions } from '../pod/backoff.js';
import { containerHash } from '../pod/container-hash.js';
import { decide, type ProbeView, type StartAction } from '../pod/decide.js';
import { observedContainer, observedSandbox } from '../pod/from-cri.js';
import { Keys } from '../pod/keys.js';
import type { ObservedPod } from '../pod/observed.js';
import type { PodCache } from '../pod/pod-cache.js';
import { formatPod, gracePeriodOf, isTerminal, podId } from '../pod/pod-spec.js';
import type { Waiting } from '../status/container-statuses.js';
import { podStatus, type PodVerdict } from '../status/pod-status.js';
import type { StatusManager } from '../status/status-manager.js';

export interface HollowPodDeps {
  readonly clock: Clock;
  readonly cri: CriConnection;
  readonly cache: PodCache;
  readonly status: StatusManager;
  readonly backoff: BackoffOptions;
  readonly hostIPs: readonly string[];
  readonly admit: (pod: Pod) => PodVerdict | undefined;
  readonly deleteFromApi: (pod: Pod) => Promise<void>;
  readonly finished: (uid: string) => void;
  readonly failed: (error: unknown) => void;
}

const RETRY_MS = 10_000;
const healthy: ProbeView = { liveness: () => 'success', startup: () => 'success' };

/**
 * One pod of a hollow node. The decisions and the status are the kubelet's own (`decide`, `podStatus`, `StatusManager`); what a machine would add
 * is left out: volumes, probes, hooks, cgroups, events.
 */
export class HollowPod {
  readonly #backoff: Backoff;
  readonly #waiting = new Map<string, Waiting>();
  #verdict: PodVerdict | undefined;
  #admitted = false;
  #removed = false;
  #over = false;
  #dirty = false;
  #looping = false;
  #closed = false;
  #timer: CancelTimer | undefined;

  constructor(
    public pod: Pod,
    private readonly deps: HollowPodDeps,
  ) {
    this.#backoff = new Backoff(deps.backoff);
  }

  get uid(): string {
    return this.pod.metadata?.uid ?? '';
  }

  /** Counts against what its node has. */
  get takesRoom(): boolean {
    return this.#admitted && !this.#verdict && !isTerminal(this.pod);
  }

  /** The pod as the API has it, or gone from there. */
  set(pod: Pod | undefined): void {
    if (pod) this.pod = pod;
    else this.#removed = true;
    this.wake();
  }

  wake(): void {
    this.#dirty = true;
    if (this.#looping || this.#closed) return;
    this.#looping = true;
    void this.#loop();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.();
  }

  async #loop(): Promise<void> {
    while (this.#dirty && !this.#closed && !this.#over) {
      this.#dirty = false;
      this.#timer?.();
      let again: number | undefined;
      try {
        again = await this.#step();
      } catch (error) {
        if (this.#closed) break;
        this.deps.failed(error);
        again = RETRY_MS;
      }
      if (again !== undefined && !this.#closed) this.#timer = this.deps.clock.setTimeout(() => this.wake(), Math.max(1, again));
    }
    this.#looping = false;
    if (this.#over) this.deps.finished(this.uid);
  }

  async #step(): Promise<number | undefined> {
    const { cache, status } = this.deps;
    const pod = { ...this.pod, status: status.get(this.uid) ?? this.pod.status } as Pod;
    const observed = cache.get(this.uid);
    if (this.#removed || pod.metadata?.deletionTimestamp) return this.#delete(pod, observed);
    if (isTerminal(pod)) return this.#stop(pod, observed);
    if (!this.#admitted) {
      this.#verdict = observed.containers.length > 0 ? undefined : this.deps.admit(pod);
      this.#admitted = true;
      if (this.#verdict) return this.#stop(pod, observed);
    }
    const actions = decide({ pod, observed, probes: healthy, backoff: (name, at) => this.#backoff.remaining(name, at, this.deps.clock.now()) });
    if (actions.stopPod && !actions.createSandbox) return this.#stop(pod, observed);
    let again: number | undefined;
    let sandboxId = actions.sandbox?.id;
    if (actions.createSandbox) sandboxId = await this.#runSandbox(pod, actions.attempt);
    for (const start of actions.start) {
      try {
        await this.#start(pod, start, sandboxId ?? '');
        this.#waiting.delete(start.ref.container.name);
      } catch (error) {
        if (!isRpcError(error)) throw error;
        this.#waiting.set(start.ref.container.name, { reason: 'CreateContainerError', message: error.message });
        again = RETRY_MS;
      }
    }
    for (const { ref, remaining } of actions.wait) {
      const { name } = ref.container;
      const message = `back-off ${formatDuration(this.#backoff.delay(name))} restarting failed container=${name} pod=${formatPod(podId(pod))}`;
      this.#waiting.set(name, { reason: 'CrashLoopBackOff', message });
      again = Math.min(again ?? remaining, remaining);
    }
    if (actions.start.length > 0 && again === undefined) {
      // The next init container, or nothing more: what was done is what is looked at next.
      const after = cache.get(this.uid);
      if (after.containers.some((c) => c.phase !== 'running') || (pod.spec?.initContainers?.length ?? 0) > 0) this.#dirty = true;
    }
    this.#report(pod, cache.get(this.uid), false);
    return again;
  }

  async #runSandbox(pod: Pod, attempt: number): Promise<string> {
    const { runtime } = this.deps.cri;
    const id = podId(pod);
    const { podSandboxId } = await runtime.runPodSandbox({
      config: {
        metadata: { ...id, attempt },
        labels: { [Keys.podName]: id.name, [Keys.podNamespace]: id.namespace, [Keys.podUid]: id.uid },
        annotations: { ...pod.metadata?.annotations },
        linux: { securityContext: { namespaceOptions: { network: pod.spec?.hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD } } },
      },
    });
    const { status } = await runtime.podSandboxStatus({ podSandboxId });
    if (status) this.deps.cache.putSandbox(id, observedSandbox(status));
    return podSandboxId;
  }

  async #start(pod: Pod, { ref, restartCount, finishedAt }: StartAction, podSandboxId: string): Promise<void> {
    const { container } = ref;
    const { runtime, image } = this.deps.cri;
    const id = podId(pod);
    if (finishedAt !== undefined) this.#backoff.next(container.name, finishedAt, this.deps.clock.now());
    const sandboxConfig = { metadata: { ...id, attempt: 0 }, annotations: { ...pod.metadata?.annotations } };
    await image.pullImage({ image: { image: container.image ?? '' }, sandboxConfig });
    const { containerId } = await runtime.createContainer({
      podSandboxId,
      config: {
        metadata: { name: container.name, attempt: restartCount },
        image: { image: container.image ?? '', userSpecifiedImage: container.image ?? '' },
        command: [...(container.command ?? [])],
        args: [...(container.args ?? [])],
        labels: { [Keys.podName]: id.name, [Keys.podNamespace]: id.namespace, [Keys.podUid]: id.uid, [Keys.containerName]: container.name },
        annotations: { [Keys.containerHash]: containerHash(container), [Keys.restartCount]: String(restartCount) },
      },
      sandboxConfig,
    });
    await runtime.startContainer({ containerId }).finally(async () => {
      const { status } = await runtime.containerStatus({ containerId });
      if (status) this.deps.cache.putContainer(id, observedContainer(status, podSandboxId));
    });
    for (const old of this.deps.cache
      .get(this.uid)
      .containers.filter((c) => c.name === container.name && c.id !== containerId)
      .slice(1)) {
      await runtime.removeContainer({ containerId: old.id });
      this.deps.cache.remove(old.id);
    }
  }

  /** Nothing of the pod runs any more, and the API knows. */
  async #stop(pod: Pod, observed: ObservedPod): Promise<undefined> {
    const { runtime } = this.deps.cri;
    const id = podId(pod);
    const grace = BigInt(gracePeriodOf(pod));
    await Promise.all(
      observed.containers.filter((c) => c.phase === 'running').map((c) => runtime.stopContainer({ containerId: c.id, timeout: grace }, { timeoutMs: 0 })),
    );
    for (const container of observed.containers) {
      const { status } = await runtime.containerStatus({ containerId: container.id });
      if (status) this.deps.cache.putContainer(id, observedContainer(status, container.sandboxId));
    }
    for (const sandbox of observed.sandboxes.filter((s) => s.ready)) {
      await runtime.stopPodSandbox({ podSandboxId: sandbox.id });
      this.deps.cache.putSandbox(id, { ...sandbox, ready: false });
    }
    if (!this.#removed) this.#report(pod, this.deps.cache.get(this.uid), true);
    return undefined;
  }

  async #delete(pod: Pod, observed: ObservedPod): Promise<undefined> {
    const { cri, cache, status } = this.deps;
    await this.#stop(pod, observed);
    for (const sandbox of cache.get(this.uid).sandboxes) await cri.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    if (!this.#removed) {
      await status.flushed(this.uid, new AbortController().signal);
      await this.deps.deleteFromApi(pod);
    }
    for (const { id } of [...cache.get(this.uid).containers, ...cache.get(this.uid).sandboxes]) cache.remove(id);
    status.forget(this.uid);
    this.#over = true;
    return undefined;
  }

  #report(pod: Pod, observed: ObservedPod, terminating: boolean): void {
    const running = (id: string) => observed.containers.some((c) => c.id === id && c.phase === 'running');
    const next = podStatus(pod, observed, {
      now: this.deps.clock.now(),
      hostIPs: this.deps.hostIPs,
      runtimeName: 'cri-sim',
      waiting: (name) => this.#waiting.get(name),
      readiness: (_container, id) => running(id),
      started: (_container, id) => running(id),
      terminating,
      ...(this.#verdict ? { verdict: this.#verdict } : {}),
    });
    this.deps.status.set(this.pod, next);
  }
}
