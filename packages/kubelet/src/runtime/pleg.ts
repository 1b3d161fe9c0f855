import { type ContainerStatus, isRpcError, type RuntimeServiceClient } from '@coxswain/cri';
import type { Clock, Logger } from '@coxswain/sdk';
import { containerPhase, observedContainer, observedSandbox } from '../pod/from-cri.js';
import { Keys } from '../pod/keys.js';
import type { PodCache } from '../pod/pod-cache.js';
import { terminationMessage } from './termination-message.js';

export interface PlegOptions {
  /** Between lists while the runtime sends no events, ms. */
  readonly relistMs: number;
  /** Between lists while it does: a safety net, ms. */
  readonly relistWithEventsMs: number;
}

export interface PlegDeps {
  readonly runtime: RuntimeServiceClient;
  readonly cache: PodCache;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Something about this pod changed. */
  readonly changed: (uid: string) => void;
}

const LIST_TIMEOUT_MS = 30_000;

interface PodName {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

/** Keeps the pod cache true: the runtime's event stream where there is one, lists otherwise and now and then. */
export class Pleg {
  readonly #deps: PlegDeps;
  readonly #options: PlegOptions;
  #events = false;
  #nap = new AbortController();
  #lastList = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> | undefined;
  /** Of the last look; undefined when it went well. */
  #failure: string | undefined;

  constructor(deps: PlegDeps, options: PlegOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** True while a list worked lately; upstream calls a node unhealthy after three minutes without. */
  healthy(): boolean {
    return this.#deps.clock.monotonic() - this.#lastList < 3 * 60_000 + (this.#events ? this.#options.relistWithEventsMs : 0);
  }

  /** Runs until the signal aborts. The first list must have been made by `relist`. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#relistLoop(signal)]);
  }

  async #relistLoop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      const wait = this.#events ? this.#options.relistWithEventsMs : this.#options.relistMs;
      const nap = this.#nap.signal;
      await clock.sleep(wait, AbortSignal.any([signal, nap])).catch(() => {});
      if (signal.aborted) return;
      // Events came or went: sleep anew, by the other period.
      if (nap.aborted) continue;
      await this.tryRelist(signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { runtime, clock, logger } = this.#deps;
    for (let wait = 100; !signal.aborted; ) {
      try {
        const stream = runtime.getContainerEvents({}, { signal });
        // What happened between the last list and now was not streamed.
        this.#setEvents(true);
        void this.tryRelist(signal);
        for await (const event of stream) {
          wait = 100;
          await this.#event(event).catch((error: unknown) => logger.warn('reading a container event failed', { err: error }));
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#setEvents(false);
        if (isRpcError(error, 'unimplemented')) return;
        logger.debug('container event stream broke', { err: error });
      }
      this.#setEvents(false);
      await clock.sleep(wait, signal).catch(() => {});
      wait = Math.min(wait * 2, 5000);
    }
  }

  #setEvents(on: boolean): void {
    if (this.#events === on) return;
    this.#events = on;
    this.#nap.abort();
    this.#nap = new AbortController();
  }

  async #event(event: { containerId: string; podSandboxStatus?: Parameters<typeof observedSandbox>[0]; containersStatuses: ContainerStatus[] }): Promise<void> {
    const { cache, changed } = this.#deps;
    const sandbox = event.podSandboxStatus;
    if (!sandbox?.metadata?.uid) {
      // The runtime could not say more: look at this pod.
      const known = cache.find(event.containerId);
      if (known) await this.refresh(known.uid);
      return;
    }
    const pod: PodName = { uid: sandbox.metadata.uid, name: sandbox.metadata.name, namespace: sandbox.metadata.namespace };
    let news = cache.putSandbox(pod, observedSandbox(sandbox));
    for (const status of event.containersStatuses) news = (await this.putContainer(pod, status, sandbox.id)) || news;
    if (news) changed(pod.uid);
  }

  /** Note a container's status, with its last words once it ended. */
  async putContainer(pod: PodName, status: ContainerStatus, sandboxId: string): Promise<boolean> {
    const { cache } = this.#deps;
    const observed = observedContainer(status, sandboxId);
    const known = cache.find(status.id)?.container;
    if (observed.phase !== 'exited' || known?.phase === 'exited') return cache.putContainer(pod, observed);
    const message = await terminationMessage(status);
    return cache.putContainer(pod, message ? { ...observed, message } : observed);
  }

  /** Look at one container now. Returns whether it is there. */
  async observeContainer(pod: PodName, id: string, sandboxId: string): Promise<boolean> {
    try {
      const { status } = await this.#deps.runtime.containerStatus({ containerId: id });
      if (status) await this.putContainer(pod, status, sandboxId);
      return status !== undefined;
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
      this.#deps.cache.remove(id);
      return false;
    }
  }

  async observeSandbox(pod: PodName, id: string): Promise<void> {
    const { status } = await this.#deps.runtime.podSandboxStatus({ podSandboxId: id });
    if (status) this.#deps.cache.putSandbox(pod, observedSandbox(status));
  }

  /** Look at everything known of one pod. */
  async refresh(uid: string): Promise<void> {
    const { cache, changed } = this.#deps;
    const pod = cache.get(uid);
    const before = cache.get(uid);
    await Promise.all([
      ...pod.containers.filter((c) => c.phase !== 'exited').map((c) => this.observeContainer(pod, c.id, c.sandboxId)),
      ...pod.sandboxes
        .filter((s) => s.ready)
        .map((s) =>
          this.observeSandbox(pod, s.id).catch((error: unknown) => {
            if (!isRpcError(error, 'notFound')) throw error;
            cache.remove(s.id);
          }),
        ),
    ]);
    if (cache.get(uid) !== before) changed(uid);
  }

  /** One full look. Calls that overlap share it. */
  relist(signal?: AbortSignal): Promise<void> {
    this.#listing ??= this.#relistNow(signal).finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  /** The same for whoever looks again anyway: a failure is logged once, not with every look at a runtime that is away. */
  async tryRelist(signal: AbortSignal): Promise<void> {
    try {
      await this.relist(signal);
      this.#failure = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const { message } = error as Error;
      if (message !== this.#failure) this.#deps.logger.warn('listing containers failed', { err: error });
      this.#failure = message;
    }
  }

  async #relistNow(signal: AbortSignal | undefined): Promise<void> {
    const { runtime, cache, changed, clock } = this.#deps;
    const known = cache.ids();
    const options = { timeoutMs: LIST_TIMEOUT_MS, ...(signal ? { signal } : {}) };
    const [{ items }, { containers }] = await Promise.all([runtime.listPodSandbox({}, options), runtime.listContainers({}, options)]);
    this.#lastList = clock.monotonic();
    const touched = new Set<string>();
    const present = new Set<string>();
    const pods = new Map<string, PodName>();
    const look: Promise<unknown>[] = [];
    for (const item of items) {
      const uid = item.labels[Keys.podUid] ?? item.metadata?.uid;
      if (!uid) continue;
      const pod = { uid, name: item.metadata?.name ?? '', namespace: item.metadata?.namespace ?? '' };
      pods.set(item.id, pod);
      present.add(item.id);
      const old = cache.find(item.id)?.sandbox;
      if (old && old.ready === (item.state === 0)) continue;
      look.push(this.observeSandbox(pod, item.id).then(() => touched.add(uid), ignoreGone));
    }
    for (const item of containers) {
      const uid = item.labels[Keys.podUid];
      if (!uid) continue;
      present.add(item.id);
      const old = cache.find(item.id)?.container;
      if (old && old.phase === containerPhase(item.state)) continue;
      const pod = pods.get(item.podSandboxId) ?? { uid, name: item.labels[Keys.podName] ?? '', namespace: item.labels[Keys.podNamespace] ?? '' };
      look.push(this.observeContainer(pod, item.id, item.podSandboxId).then(() => touched.add(uid), ignoreGone));
    }
    for (const id of known) {
      if (present.has(id)) continue;
      const uid = cache.remove(id);
      if (uid) touched.add(uid);
    }
    await Promise.all(look);
    for (const uid of touched) changed(uid);
  }
}

function ignoreGone(error: unknown): void {
  if (!isRpcError(error, 'notFound')) throw error;
}
