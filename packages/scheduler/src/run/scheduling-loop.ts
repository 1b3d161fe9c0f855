import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeObject, Pod } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { CycleState, Logger, SchedulingStatus } from '@coxswain/sdk';
import type { SchedulerCache } from '../cache/scheduler-cache.js';
import { scheduleCycle, type CycleInput, type CycleResult } from '../framework/cycle.js';
import { MapCycleState } from '../framework/cycle-state.js';
import { fitErrorMessage } from '../framework/fit-error.js';
import { scheduleExtendedCycle } from '../extenders/extended-cycle.js';
import { bindByExtenders } from '../extenders/preempt-and-bind.js';
import type { SchedulerHandle } from '../framework/handle.js';
import { podKey, podName } from '../framework/pod-key.js';
import type { Profile } from '../framework/profile.js';
import { isRefusal, reasonsOf } from '../framework/status.js';
import { CYCLE_FILTERS } from '../preemption/default-preemption.js';
import type { QueueItem } from '../queue/queued-pod.js';
import type { SchedulingQueue } from '../queue/scheduling-queue.js';
import type { EventSink } from './event-sink.js';
import type { Nominator } from './nominator.js';
import type { SchedulerMetrics } from './scheduler-metrics.js';
import type { WaitingPods } from './waiting-pods.js';

/** How long cycles may follow each other before sockets get a turn. */
const TURN_MS = 5;

export interface SchedulingLoopOptions {
  readonly client: KubeClient;
  readonly handle: SchedulerHandle;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly percentageOfNodesToScore: (profile: Profile) => number;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly waiting: WaitingPods;
  readonly events: EventSink;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
  /** The pod as the API has it now; undefined when it is gone. */
  readonly current: (pod: Pod) => Pod | undefined;
}

type Refused = Extract<CycleResult, { type: 'unschedulable' }>;

/**
 * Takes pods from the queue one by one and decides; binding goes on beside the next decisions. `run` returns when the signal
 * aborts and what was in flight is done.
 */
export class SchedulingLoop {
  readonly #o: SchedulingLoopOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #startIndex = 0;
  #wake: () => void = () => {};
  #cancelTimer: () => void = () => {};

  constructor(options: SchedulingLoopOptions) {
    this.#o = options;
  }

  /** Something may have come into the queue. */
  wake(): void {
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { queue, handle } = this.#o;
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort, { once: true });
    let turn = handle.clock.monotonic();
    while (!signal.aborted) {
      const item = queue.pop(handle.clock.now());
      if (!item) {
        await this.#sleep();
        turn = handle.clock.monotonic();
        continue;
      }
      const pending = this.#attempt(item, signal);
      // Extenders and preemption are part of the cycle: the next pod must see what became of this one.
      if (pending) await pending;
      if (handle.clock.monotonic() - turn >= TURN_MS) {
        await nextTurn();
        turn = handle.clock.monotonic();
      }
    }
    signal.removeEventListener('abort', onAbort);
    this.#cancelTimer();
    await Promise.allSettled(this.#inFlight);
  }

  #sleep(): Promise<void> {
    const { queue, handle } = this.#o;
    return new Promise((resolve) => {
      const at = queue.nextWake();
      const done = () => {
        this.#wake = () => {};
        this.#cancelTimer();
        resolve();
      };
      this.#wake = done;
      this.#cancelTimer = at === undefined ? () => {} : handle.clock.setTimeout(done, Math.max(1, at - handle.clock.now()));
    });
  }

  #attempt(item: QueueItem, signal: AbortSignal): Promise<void> | undefined {
    const { queue, cache, handle, nominator } = this.#o;
    const pod = this.#o.current(item.pod) ?? item.pod;
    item.pod = pod;
    const profile = this.#o.profiles.get(pod.spec?.schedulerName ?? '');
    if (!profile || pod.spec?.nodeName || pod.metadata.deletionTimestamp || cache.isAssumed(pod) || !this.#o.current(pod)) {
      queue.done(item);
      return undefined;
    }
    const began = handle.clock.monotonic();
    const state = new MapCycleState();
    const failed = (error: unknown): CycleResult => ({ type: 'error', error: error as Error, plugin: 'cycle' });
    let result: CycleResult | Promise<CycleResult>;
    try {
      const input: CycleInput = {
        profile,
        pod,
        state,
        snapshot: cache.snapshot(),
        nominatedPods: nominator.isEmpty ? undefined : (node) => nominator.on(node),
        random: handle.random,
        startIndex: this.#startIndex,
        percentageOfNodesToScore: this.#o.percentageOfNodesToScore(profile),
      };
      result = handle.extenders.some((e) => e.interestedIn(pod))
        ? scheduleExtendedCycle(input, handle.extenders, signal, handle.logger).catch(failed)
        : scheduleCycle(input);
    } catch (error) {
      result = failed(error);
    }
    const attempt = { item, pod, profile, state, began, signal };
    return result instanceof Promise ? result.then((r) => this.#decide(attempt, r)) : this.#decide(attempt, result);
  }

  #decide(attempt: Omit<Placement, 'node'>, result: CycleResult): Promise<void> | undefined {
    const { handle, metrics } = this.#o;
    const { item, pod, profile, state, began, signal } = attempt;
    metrics.algorithmDuration.observe((handle.clock.monotonic() - began) / 1000);
    if (result.type !== 'error') this.#startIndex = result.nextStart;
    if (result.type === 'placed') {
      this.#place({ ...attempt, node: result.node });
      return undefined;
    }
    return result.type === 'unschedulable' ? this.#refuse(item, pod, profile, state, result, signal) : this.#fail(item, pod, profile, result.error, signal);
  }

  #place(p: Placement): void {
    const { cache, queue, nominator } = this.#o;
    cache.assumePod(p.pod, p.node);
    queue.done(p.item);
    nominator.delete(podKey(p.pod));
    const waits = new Map<string, number>();
    const held = this.#reserveAndPermit(p, waits);
    this.#track(held.code === 'success' || held.code === 'skip' ? this.#bind(p, waits) : this.#undo(p, held));
  }

  #reserveAndPermit({ profile, state, pod, node }: Placement, waits: Map<string, number>): SchedulingStatus {
    for (const plugin of profile.reserve) {
      const status = plugin.reserve(state, pod, node);
      if (status.code !== 'success') return status;
    }
    for (const plugin of profile.permit) {
      const status = plugin.permit(state, pod, node);
      if (status.code === 'wait') waits.set(plugin.name, status.timeoutMs);
      else if (status.code !== 'success') return status;
    }
    return { code: 'success' };
  }

  async #bind(p: Placement, waits: ReadonlyMap<string, number>): Promise<void> {
    const { handle, metrics, events, waiting } = this.#o;
    const { pod, profile, state, node, signal } = p;
    try {
      const preBind: Profile['preBind'][number][] = [];
      for (const plugin of profile.preBind) {
        const status = plugin.preBindPreFlight?.(state, pod, node) ?? { code: 'success' };
        if (status.code === 'success') preBind.push(plugin);
        else if (status.code !== 'skip') return await this.#undo(p, status);
      }
      if (waits.size > 0 || preBind.length > 0) await this.#announce(pod, node, signal);
      if (waits.size > 0) {
        const status = await waiting.wait(pod, node, waits, signal);
        if (status.code !== 'success') return await this.#undo(p, status);
      }
      for (const plugin of preBind) {
        const status = await plugin.preBind(state, pod, node, signal);
        if (status.code !== 'success' && status.code !== 'skip') return await this.#undo(p, status);
      }
      let bound = await bindByExtenders(handle.extenders, pod, node, signal, handle.logger);
      for (const plugin of profile.bind) {
        if (bound) break;
        const status = await plugin.bind(state, pod, node, signal);
        if (status.code === 'skip') continue;
        if (status.code !== 'success') return await this.#undo(p, status);
        bound = true;
      }
      if (!bound) return await this.#undo(p, { code: 'error', error: new Error('every bind plugin passed the pod on') });
    } catch (error) {
      return this.#undo(p, { code: 'error', error: error as Error });
    }
    for (const plugin of profile.postBind) plugin.postBind(state, pod, node);
    metrics.attempts.inc({ result: 'scheduled', profile: profile.schedulerName });
    metrics.attemptDuration.observe((handle.clock.monotonic() - p.began) / 1000, { result: 'scheduled', profile: profile.schedulerName });
    metrics.podAttempts.observe(p.item.attempts);
    metrics.podDuration.observe((handle.clock.now() - p.item.queuedAt) / 1000, { attempts: String(p.item.attempts) });
    events(pod as KubeObject, 'Normal', 'Scheduled', `Successfully assigned ${podName(pod)} to ${node}`, 'Binding');
  }

  /** Binding will take a while: others are told where the pod is going to be, and a scheduler that starts anew goes on there. */
  async #announce(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    if (pod.status?.nominatedNodeName === node) return;
    const { client, logger } = this.#o;
    const patch = { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: node } };
    try {
      await client.api.pods(pod.metadata.namespace).patch(pod.metadata.name ?? '', 'strategic', patch, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error) && !signal.aborted) logger.warn('the expected node of a pod was not written', { pod: podName(pod), err: error });
    }
  }

  /** Give the place back and try again later. */
  async #undo(p: Placement, status: SchedulingStatus): Promise<void> {
    const { cache, queue, handle } = this.#o;
    for (const plugin of p.profile.unreserve) plugin.unreserve(p.state, p.pod, p.node);
    cache.forgetPod(p.pod);
    queue.changed({ resource: 'AssignedPod', action: 'delete', before: p.pod as KubeObject }, handle.clock.now());
    const pod = this.#o.current(p.pod);
    if (!pod || pod.spec?.nodeName || pod.metadata.deletionTimestamp) return;
    p.item.pod = pod;
    // While it was taken to be bound, nobody was told of what its status names.
    this.#o.nominator.set(pod, pod.status?.nominatedNodeName);
    queue.retry(p.item, handle.clock.now());
    // No longer ours to tell of; it stays in the queue, should it be our turn again.
    if (p.signal.aborted) return;
    this.wake();
    const message = status.code === 'error' ? status.error.message : reasonsOf(status).join(', ');
    if (status.code === 'error' && isNotFound(status.error)) return;
    await this.#report(pod, p.profile, isRefusal(status) ? 'Unschedulable' : 'SchedulerError', message, undefined, p.signal);
  }

  async #refuse(item: QueueItem, pod: Pod, profile: Profile, state: CycleState, { diagnosis, filters }: Refused, signal: AbortSignal): Promise<void> {
    const { queue, nominator, handle, metrics } = this.#o;
    metrics.attempts.inc({ result: 'unschedulable', profile: profile.schedulerName });
    let nominated: string | undefined;
    const messages: string[] = [];
    state.write(CYCLE_FILTERS, filters);
    for (const plugin of profile.postFilter) {
      try {
        const result = await plugin.postFilter(state, pod, diagnosis.refused, signal);
        nominated ??= result.nominatedNode;
        if (result.message !== undefined) messages.push(result.message);
      } catch (error) {
        this.#o.logger.warn('postFilter failed', { plugin: plugin.name, pod: podName(pod), err: error });
      }
      if (nominated) break;
    }
    if (nominated) {
      metrics.preemptionAttempts.inc();
      nominator.set(pod, nominated);
    }
    queue.park(item, diagnosis.plugins, handle.clock.now());
    this.#track(this.#report(pod, profile, 'Unschedulable', fitErrorMessage(diagnosis, messages.join(', ')), nominated, signal));
  }

  async #fail(item: QueueItem, pod: Pod, profile: Profile, error: Error, signal: AbortSignal): Promise<void> {
    this.#o.metrics.attempts.inc({ result: 'error', profile: profile.schedulerName });
    this.#o.logger.error('scheduling failed', { pod: podName(pod), err: error });
    this.#o.queue.park(item, new Set(), this.#o.handle.clock.now());
    if (signal.aborted) return;
    this.#track(this.#report(pod, profile, 'SchedulerError', error.message, undefined, signal));
  }

  /** The event, and the PodScheduled condition if it says something new. */
  async #report(
    pod: Pod,
    _profile: Profile,
    reason: 'Unschedulable' | 'SchedulerError',
    message: string,
    nominated: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, handle, events, logger } = this.#o;
    events(pod as KubeObject, 'Warning', 'FailedScheduling', message, 'Scheduling');
    const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
    const same = before?.status === 'False' && before.reason === reason && before.message === message;
    if (same && (nominated === undefined || nominated === pod.status?.nominatedNodeName)) return;
    const lastTransitionTime = before?.status === 'False' && before.lastTransitionTime ? before.lastTransitionTime : formatTime(handle.clock.now());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastProbeTime: null,
      lastTransitionTime,
      observedGeneration: pod.metadata.generation,
    };
    const patch = {
      metadata: { uid: pod.metadata.uid },
      status: { conditions: [condition], ...(nominated !== undefined && { nominatedNodeName: nominated }) },
    };
    try {
      await client.api.pods(pod.metadata.namespace).patch(pod.metadata.name ?? '', 'strategic', patch, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error) && !signal.aborted) logger.warn('could not write the pod status', { pod: podName(pod), err: error });
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#o.logger.error('binding failed', { err: error })).finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }
}

interface Placement {
  readonly item: QueueItem;
  readonly pod: Pod;
  readonly profile: Profile;
  readonly state: CycleState;
  readonly node: string;
  readonly began: number;
  readonly signal: AbortSignal;
}
