import type { Pod, PodStatus } from '@coxswain/api';
import { formatDuration } from '@coxswain/apimachinery';
import type { CancelTimer, Clock, Logger, Random } from '@coxswain/sdk';
import type { PodCgroups } from '../cgroups/pod-cgroups.js';
import type { DraManager } from '../dra/dra-manager.js';
import type { KubeletEvents } from '../events.js';
import type { ImageManager } from '../images/image-manager.js';
import { Backoff, type BackoffOptions } from '../pod/backoff.js';
import { decide, type PodActions } from '../pod/decide.js';
import type { ObservedPod } from '../pod/observed.js';
import type { PodCache } from '../pod/pod-cache.js';
import { formatPod, gracePeriodOf, isTerminal, podContainers, podId } from '../pod/pod-spec.js';
import { parseTime } from '../pod/time.js';
import type { ProbeManager } from '../probes/probe-manager.js';
import type { PodRuntime } from '../runtime/pod-runtime.js';
import { StartError } from '../runtime/start-error.js';
import { runtimeErrorText } from '../runtime-errors.js';
import type { Waiting } from '../status/container-statuses.js';
import { withOthersParts } from '../status/others-parts.js';
import { podStatus, type PodVerdict } from '../status/pod-status.js';
import type { StatusManager } from '../status/status-manager.js';
import { VolumeError, type VolumeManager } from '../volumes/volume-manager.js';
import { podChangeMatters } from './pod-change.js';
import { pruneEnded } from './prune-ended.js';
import { PodResize, type PodResizeDeps } from './pod-resize.js';

export interface PodWorkerDeps extends PodResizeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cache: PodCache;
  readonly runtime: PodRuntime;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly dra: Pick<DraManager, 'prepare' | 'unprepare'>;
  readonly probes: ProbeManager;
  readonly status: StatusManager;
  readonly events: KubeletEvents;
  readonly cgroups: PodCgroups | undefined;
  readonly runtimeName: () => string;
  readonly hostIPs: () => readonly string[];
  /** Why no pod network can be made now; undefined: it can. */
  readonly networkNotReady: () => string | undefined;
  /** Whether the pod may run here; undefined: yes. Asked once, before anything is started. */
  readonly admit: (pod: Pod) => PodVerdict | undefined;
  /** Another pod of the same name has to end first (static pods). */
  readonly blocked: (pod: Pod) => boolean;
  /** Take the pod's object out of the API, now that nothing of it is left. */
  readonly deleteFromApi: (pod: Pod, signal: AbortSignal) => Promise<void>;
  readonly onFinished: (uid: string) => void;
  readonly onStarted?: (pod: Pod, ms: number) => void;
}

export interface PodWorkerOptions {
  readonly containerBackoff: BackoffOptions;
  /** After a step that failed, ms. */
  readonly retryMs: number;
  /** After a step of a running pod that did not, ms, and up to half as much more. */
  readonly resyncMs: number;
}

type Life = 'running' | 'terminating' | 'terminated' | 'finished';

/**
 * One pod's life on this node. Everything about the pod happens here, one step at a time; each step starts from what is observed, so
 * it does not matter what a former step, or a former kubelet, got done. `running` → `terminating` (stop everything) → `terminated`
 * (give everything back) → `finished`.
 */
export class PodWorker {
  readonly uid: string;
  readonly #deps: PodWorkerDeps;
  readonly #options: PodWorkerOptions;
  readonly #backoff: Backoff;
  readonly #waiting = new Map<string, Waiting>();
  readonly #resize: PodResize;
  #pod: Pod | undefined;
  #life: Life = 'running';
  #verdict: PodVerdict | undefined;
  #graceOverride: number | undefined;
  /** The pod's object is gone from its source: there is nobody to report to. */
  #removed = false;
  #admitted = false;
  #dirty = false;
  #looping = false;
  #timer: CancelTimer | undefined;
  #step = new AbortController();
  #closed = false;
  readonly #seenAt: number;
  #wasStarted = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(uid: string, deps: PodWorkerDeps, options: PodWorkerOptions) {
    this.uid = uid;
    this.#deps = deps;
    this.#resize = new PodResize(uid, deps);
    this.#options = options;
    this.#backoff = new Backoff(options.containerBackoff);
    this.#seenAt = deps.clock.monotonic();
  }

  get pod(): Pod | undefined {
    return this.#pod;
  }

  get life(): Life {
    return this.#life;
  }

  get admitted(): boolean {
    return this.#admitted && this.#verdict === undefined;
  }

  /** The pod as its source has it now. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    this.#removed = false;
    if (pod.metadata?.deletionTimestamp) {
      const grace = gracePeriodOf(pod);
      const shorter =
        this.#life === 'terminating' && before !== undefined && grace < (before.metadata?.deletionTimestamp ? gracePeriodOf(before) : Number.POSITIVE_INFINITY);
      // A step that waits (a pull, a hook, a longer grace period) is cut short.
      if (this.#life === 'running' || shorter) this.#step.abort(new Error('the pod is being deleted'));
      if (this.#life === 'running') this.#life = 'terminating';
    }
    if (podChangeMatters(before, pod)) this.wake();
  }

  /** The pod's object is gone: everything of it has to go. */
  remove(grace?: number): void {
    this.#removed = true;
    if (grace !== undefined) this.#graceOverride = grace;
    if (this.#life === 'running') {
      this.#life = 'terminating';
      this.#step.abort(new Error('the pod is gone'));
    }
    this.wake();
  }

  /** End the pod with this verdict (eviction). */
  evict(verdict: PodVerdict, grace: number): void {
    if (this.#life !== 'running') return;
    this.#verdict = verdict;
    this.#graceOverride = grace;
    this.#life = 'terminating';
    this.#step.abort(new Error(verdict.reason));
    this.wake();
  }

  /** Something that matters to this pod changed. */
  wake(): void {
    this.#dirty = true;
    if (this.#looping || this.#closed) return;
    this.#looping = true;
    this.#idle = this.#loop();
  }

  /** Stops working on the pod and leaves it as it is. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.();
    this.#step.abort(new Error('the kubelet is stopping'));
    await this.#idle;
  }

  async #loop(): Promise<void> {
    while (this.#dirty && !this.#closed && this.#life !== 'finished') {
      this.#dirty = false;
      this.#timer?.();
      this.#timer = undefined;
      this.#step = new AbortController();
      const { signal } = this.#step;
      let again: number | undefined;
      try {
        again = await this.#stepOnce(signal);
        if (this.#life === 'running') again = smallest(again, this.#options.resyncMs * (1 + this.#deps.random.next() / 2));
      } catch (error) {
        if (signal.aborted) this.#dirty = true;
        else {
          this.#deps.logger.warn('a step of a pod failed; will try again', {
            pod: this.#pod && formatPod(podId(this.#pod)),
            uid: this.uid,
            life: this.#life,
            err: error,
          });
          again = this.#options.retryMs;
        }
      }
      if (again !== undefined && !this.#dirty && !this.#closed) this.#timer = this.#deps.clock.setTimeout(() => this.wake(), Math.max(1, again));
    }
    this.#looping = false;
    if (this.#life === 'finished') this.#deps.onFinished(this.uid);
  }

  #stepOnce(signal: AbortSignal): Promise<number | undefined> | number | undefined {
    switch (this.#life) {
      case 'running':
        return this.#run(signal);
      case 'terminating':
        return this.#terminate(signal);
      case 'terminated':
        return this.#giveBack(signal);
      case 'finished':
        return undefined;
    }
  }

  /** The pod with the newest status known: our own, with conditions of others from the API. */
  #current(): Pod {
    const pod = this.#pod as Pod;
    const own = this.#deps.status.get(this.uid);
    return own ? { ...pod, status: withOthersParts(own, pod.status) } : pod;
  }

  #report(observed: ObservedPod, terminating: boolean, transient = false): PodStatus {
    const { status, probes, clock, runtimeName, hostIPs } = this.#deps;
    const pod = this.#current();
    const next = podStatus(pod, observed, {
      now: clock.now(),
      hostIPs: hostIPs(),
      runtimeName: runtimeName(),
      waiting: (name) => this.#waiting.get(name),
      readiness: (container, id) => probes.readiness(container, id),
      started: (container, id) => probes.started(container, id),
      terminating,
      ...(this.#verdict ? { verdict: this.#verdict } : {}),
      ...(this.#resize.note && !terminating ? { resize: this.#resize.note } : {}),
      ...(pod.spec?.resources ? { ownResources: this.#resize.inForce(pod) } : {}),
    });
    if (!this.#removed) status.set(this.#pod as Pod, next, transient && next.phase === 'Pending');
    return next;
  }

  async #run(signal: AbortSignal): Promise<number | undefined> {
    const { cache, clock, probes, events } = this.#deps;
    const pod = this.#current();
    if (this.#deps.blocked(pod)) return this.#options.retryMs;
    let observed = cache.get(this.uid);
    if (isTerminal(pod)) return this.#end();
    if (!this.#admitted) {
      // What already runs was admitted by a former kubelet.
      this.#verdict = observed.containers.length > 0 ? undefined : this.#deps.admit(pod);
      this.#admitted = true;
      if (this.#verdict) {
        events.pod(pod, 'Warning', this.#verdict.reason, this.#verdict.message);
        return this.#end();
      }
    }
    const late = this.#deadlinePassed(pod);
    if (late === 0) {
      this.#verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
      events.pod(pod, 'Normal', 'DeadlineExceeded', this.#verdict.message);
      this.#graceOverride = pod.spec?.terminationGracePeriodSeconds ?? 30;
      return this.#end();
    }
    probes.sync(pod, observed, this.#deps.runtime.podIP(pod, observed.sandboxes[0]));
    const actions = decide({
      pod,
      observed,
      probes,
      backoff: (name, finishedAt) => this.#backoff.remaining(this.#backoffKey(pod, name), finishedAt, clock.now()),
    });
    if (actions.stopPod && !actions.createSandbox) return this.#end();
    this.#noteWaiting(pod, actions);
    this.#report(observed, false, actions.createSandbox || actions.start.length > 0);
    const acted = await this.#act(pod, observed, actions, signal);
    const again = actions.start.length === 0 && observed.sandboxes.length > 0 ? smallest(acted, await this.#keepVolumes(pod, signal)) : acted;
    observed = cache.get(this.uid);
    probes.sync(pod, observed, this.#deps.runtime.podIP(pod, observed.sandboxes[0]));
    const resized = this.#pod ? await this.#resize.run(this.#pod, observed) : false;
    const last = this.#report(cache.get(this.uid), false);
    if (!this.#wasStarted && last.phase === 'Running') {
      this.#wasStarted = true;
      this.#deps.onStarted?.(pod, clock.monotonic() - this.#seenAt);
    }
    // What was done changes what is to be done next: the following init container, or the end.
    if ((actions.start.length > 0 && again === undefined) || actions.kill.length > 0 || resized) this.#dirty = true;
    // Room for a resize may come with the end of another pod.
    const look = this.#resize.note?.reason === 'Deferred' ? this.#options.retryMs : undefined;
    return smallest(again, late, look, ...actions.wait.map((w) => w.remaining));
  }

  #end(): undefined {
    this.#life = 'terminating';
    this.#dirty = true;
    return undefined;
  }

  /** Milliseconds left of activeDeadlineSeconds; 0: none. */
  #deadlinePassed(pod: Pod): number | undefined {
    const seconds = pod.spec?.activeDeadlineSeconds;
    const started = parseTime(pod.status?.startTime);
    if (seconds === undefined || started === undefined) return undefined;
    return Math.max(0, started + seconds * 1000 - this.#deps.clock.now());
  }

  #backoffKey(pod: Pod, name: string): string {
    const image = podContainers(pod).find((r) => r.container.name === name)?.container.image;
    return `${name}/${image}`;
  }

  #noteWaiting(pod: Pod, actions: PodActions): void {
    for (const { ref } of actions.wait) {
      const { name } = ref.container;
      const delay = formatDuration(this.#backoff.delay(this.#backoffKey(pod, name)));
      const message = `back-off ${delay} restarting failed container=${name} pod=${formatPod(podId(pod))}`;
      if (this.#waiting.get(name)?.message !== message) {
        this.#deps.events.pod(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${formatPod(podId(pod))}`, name);
      }
      this.#waiting.set(name, { reason: 'CrashLoopBackOff', message });
    }
  }

  /** Carries the decisions out. Returns when to look again because something failed. */
  async #act(pod: Pod, before: ObservedPod, actions: PodActions, signal: AbortSignal): Promise<number | undefined> {
    const { runtime, volumes, events, cgroups, networkNotReady, cache, clock } = this.#deps;
    for (const kill of actions.kill) {
      const again = actions.start.some((s) => s.ref.container.name === kill.name);
      await runtime.killContainer(
        pod,
        { ...kill, message: again ? `${kill.message}, will be restarted` : kill.message },
        this.#probeGrace(pod, kill.name, kill.reason),
        signal,
      );
    }
    if (actions.start.length === 0) return undefined;
    const notReady = networkNotReady();
    if (actions.createSandbox && notReady && !pod.spec?.hostNetwork) {
      events.pod(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${notReady}`);
      return this.#options.retryMs;
    }
    try {
      await this.#deps.dra.prepare(pod, signal);
    } catch (error) {
      signal.throwIfAborted();
      events.pod(pod, 'Warning', 'FailedPrepareDynamicResources', `Failed to prepare dynamic resources: ${(error as Error).message}`);
      return this.#options.retryMs;
    }
    let mounted: Awaited<ReturnType<VolumeManager['setup']>>;
    try {
      [mounted] = await Promise.all([volumes.setup(pod, signal), cgroups?.ensure(pod)]);
    } catch (error) {
      if (error instanceof VolumeError) return this.#options.retryMs;
      throw error;
    }
    let sandbox = actions.sandbox;
    let config: Awaited<ReturnType<PodRuntime['sandboxConfig']>>;
    try {
      config = await runtime.sandboxConfig(pod, actions.attempt, actions.createSandbox);
    } catch (error) {
      events.pod(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${(error as Error).message}`);
      return this.#options.retryMs;
    }
    if (actions.createSandbox) {
      if (before.sandboxes.length > 0) {
        events.pod(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
        await runtime.stopPod(pod, before, gracePeriodOf(pod), signal);
      }
      try {
        const handler = await runtime.runtimeHandler(pod);
        sandbox = await runtime.createSandbox(pod, config, handler, signal);
      } catch (error) {
        signal.throwIfAborted();
        events.pod(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${runtimeErrorText(error)}`);
        return this.#options.retryMs;
      }
    }
    if (!sandbox) return this.#options.retryMs;
    let again: number | undefined;
    for (const start of actions.start) {
      const { name } = start.ref.container;
      const key = this.#backoffKey(pod, name);
      if (start.finishedAt !== undefined) this.#backoff.next(key, start.finishedAt, clock.now());
      try {
        await runtime.startContainer(pod, start, sandbox, config, mounted, signal);
        this.#waiting.delete(name);
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        this.#waiting.set(name, { reason: error.reason, message: error.message });
        again = Math.min(again ?? Number.POSITIVE_INFINITY, error.retryMs ?? this.#options.retryMs);
      }
      await pruneEnded(runtime, cache.get(this.uid), name);
    }
    return again;
  }

  /** Volumes of running pods follow their objects and the pod's own labels, also in a pod that was adopted. */
  async #keepVolumes(pod: Pod, signal: AbortSignal): Promise<number | undefined> {
    try {
      await this.#deps.volumes.setup(pod, signal);
      return undefined;
    } catch (error) {
      if (error instanceof VolumeError) return this.#options.retryMs;
      throw error;
    }
  }

  #probeGrace(pod: Pod, name: string, reason: string): number {
    const container = podContainers(pod).find((r) => r.container.name === name)?.container;
    const own = reason === 'livenessFailed' ? container?.livenessProbe : reason === 'startupFailed' ? container?.startupProbe : undefined;
    return own?.terminationGracePeriodSeconds ?? gracePeriodOf(pod);
  }

  async #terminate(signal: AbortSignal): Promise<number | undefined> {
    const { cache, runtime, probes } = this.#deps;
    const observed = cache.get(this.uid);
    const pod = this.#pod ? this.#current() : undefined;
    if (pod) {
      probes.sync(pod, observed, runtime.podIP(pod, observed.sandboxes[0]), 'readiness');
      if (observed.containers.some((c) => c.phase === 'running')) this.#report(observed, false);
    }
    const deletion = this.#pod?.metadata?.deletionTimestamp ? gracePeriodOf(this.#pod) : undefined;
    const fallback = this.#pod ? gracePeriodOf(this.#pod) : Math.max(2, ...observed.containers.map((c) => c.gracePeriod ?? 2));
    const grace =
      deletion !== undefined && this.#graceOverride !== undefined ? Math.min(deletion, this.#graceOverride) : (this.#graceOverride ?? deletion ?? fallback);
    await runtime.stopPod(pod, observed, grace, signal);
    const after = cache.get(this.uid);
    // Something came to life in between (a create of a former step): once more.
    if (after.containers.some((c) => c.phase === 'running') || after.sandboxes.some((s) => s.ready)) return 50;
    probes.forget(this.uid);
    await this.#deps.dra.unprepare(this.uid, signal);
    // What ended before, and of which nothing is left, was reported by whoever saw it.
    if (this.#pod && !(isTerminal(this.#pod) && after.containers.length === 0)) this.#report(after, true);
    this.#life = 'terminated';
    this.#dirty = true;
    return undefined;
  }

  async #giveBack(signal: AbortSignal): Promise<number | undefined> {
    const { volumes, dra, cgroups, runtime, status, cache, images, deleteFromApi } = this.#deps;
    const pod = this.#pod;
    const deleting = this.#removed || !pod || Boolean(pod.metadata?.deletionTimestamp);
    // The pod's folder goes last: it is how a next kubelet finds what is left.
    await cgroups?.remove(this.uid);
    // Done already, but for a pod whose end a former kubelet has seen.
    await dra.unprepare(this.uid, signal);
    await volumes.teardown(this.uid);
    // A finished pod that nobody deletes keeps its containers: their logs are still read.
    if (!deleting) return undefined;
    if (!this.#removed) await status.flushed(this.uid, signal);
    const left = cache.get(this.uid);
    await runtime.removePod(left, pod ? podId(pod) : left);
    images.forgetPod(this.uid);
    if (pod && !this.#removed) {
      await deleteFromApi(pod, signal);
      this.#removed = true;
    }
    status.forget(this.uid);
    this.#life = 'finished';
    return undefined;
  }
}

function smallest(...values: (number | undefined)[]): number | undefined {
  const known = values.filter((v) => v !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
