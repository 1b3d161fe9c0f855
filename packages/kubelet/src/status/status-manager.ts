import type { Pod, PodStatus } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { CancelTimer, Clock, Logger } from '@coxswain/sdk';
import { statusPatch } from './status-patch.js';

interface Entry {
  pod: Pod;
  /** What the kubelet wants written. */
  wanted: PodStatus;
  /** What the last patch answered, and its version, while the informer does not show it yet. */
  written: { readonly status: PodStatus; readonly version: string } | undefined;
  writing: boolean;
  dirty: boolean;
  timer: CancelTimer | undefined;
  failures: number;
  gone: boolean;
  waiters: Set<() => void>;
}

export interface StatusManagerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The API's copy of a pod by uid: for a static pod its mirror. Undefined: none (yet). */
  readonly apiPod: (pod: Pod) => Pod | undefined;
}

export interface StatusManagerOptions {
  /** A status on the way to Running may wait this long for a better one, ms. */
  readonly settleMs: number;
}

/**
 * Writes pod statuses: only what changed, at most one request per pod at a time, always the newest. What cannot be written is
 * tried again until it can or the pod is gone.
 */
export class StatusManager {
  readonly #deps: StatusManagerDeps;
  readonly #options: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(deps: StatusManagerDeps, options: StatusManagerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The status last set: newer than what the API shows. */
  get(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.wanted;
  }

  /** Set the status of a pod. `transient`: something better is expected in a moment. */
  set(pod: Pod, status: PodStatus, transient = false): void {
    const uid = pod.metadata?.uid ?? '';
    let entry = this.#entries.get(uid);
    if (!entry) {
      entry = { pod, wanted: status, written: undefined, writing: false, dirty: false, timer: undefined, failures: 0, gone: false, waiters: new Set() };
      this.#entries.set(uid, entry);
    }
    entry.pod = pod;
    entry.wanted = status;
    entry.dirty = true;
    if (entry.writing || entry.failures > 0) return;
    if (transient) entry.timer ??= this.#deps.clock.setTimeout(() => this.#flush(uid), this.#options.settleMs);
    else this.#flush(uid);
  }

  /** Look again at a pod whose API object changed: someone else may have overwritten what is ours. */
  apiChanged(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    const seen = this.#deps.apiPod(entry.pod)?.metadata?.resourceVersion;
    if (entry.written && seen !== undefined && notOlder(seen, entry.written.version)) entry.written = undefined;
    if (entry.writing || entry.timer) return;
    entry.dirty = true;
    this.#flush(uid);
  }

  /** Resolves when the API server has the status last set, or the pod is gone from it. */
  async flushed(uid: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const entry = this.#entries.get(uid);
      if (!entry || entry.gone || (!entry.dirty && !entry.writing)) return;
      if (!entry.writing && entry.failures === 0) this.#flush(uid);
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          entry.waiters.delete(done);
          reject(signal.reason as Error);
        };
        const done = () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        if (signal.aborted) return reject(signal.reason as Error);
        entry.waiters.add(done);
        signal.addEventListener('abort', onAbort, { once: true });
      });
    }
  }

  forget(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.gone = true;
    entry.timer?.();
    this.#entries.delete(uid);
    this.#wake(entry);
  }

  /** Writes nothing more. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.timer?.();
  }

  #wake(entry: Entry): void {
    for (const waiter of [...entry.waiters]) waiter();
    entry.waiters.clear();
  }

  #flush(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || entry.writing || this.#closed) return;
    entry.timer?.();
    entry.timer = undefined;
    entry.writing = true;
    void this.#write(entry).finally(() => {
      entry.writing = false;
      this.#wake(entry);
      if (entry.gone || this.#closed || !entry.dirty) return;
      if (entry.failures === 0) this.#flush(uid);
      else entry.timer = this.#deps.clock.setTimeout(() => this.#flush(uid), Math.min(200 * 2 ** (entry.failures - 1), 10_000));
    });
  }

  async #write(entry: Entry): Promise<void> {
    const { client, logger, apiPod } = this.#deps;
    const target = apiPod(entry.pod);
    entry.dirty = false;
    if (!target) return;
    const { name = '', namespace = 'default', uid = '' } = target.metadata ?? {};
    const patch = statusPatch(target.status ?? {}, entry.written?.status, entry.wanted);
    if (!patch) return;
    const sent = entry.wanted;
    try {
      const answer: Pod = await client.api.pods(namespace).patch(name, 'strategic', { metadata: { uid }, status: patch }, { subresource: 'status' });
      entry.written = { status: answer.status ?? sent, version: answer.metadata?.resourceVersion ?? '' };
      entry.failures = 0;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      // Gone, or another pod of the same name: nobody is left to tell.
      if (code === 404 || code === 409) {
        entry.gone = code === 404;
        entry.failures = 0;
        return;
      }
      entry.dirty = true;
      entry.failures++;
      logger.warn('writing a pod status failed; will try again', { pod: name, namespace, err: error });
    }
  }
}

/** Versions are numbers in every known server; others are only compared for equality. */
function notOlder(seen: string, written: string): boolean {
  if (seen === written || written === '') return true;
  return /^\d+$/.test(seen) && /^\d+$/.test(written) && BigInt(seen) >= BigInt(written);
}
