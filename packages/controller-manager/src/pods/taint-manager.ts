import type { KubeObject, Pod } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import type { ControllerContext, Outcome } from '../runtime/controller-context.js';

export interface TaintManagerTexts {
  /** Reason of the events. */
  readonly reason: string;
  /** What the events say of a pod, by its key. */
  readonly cancelling: (key: string) => string;
  readonly marking: (key: string) => string;
  /** Of the condition `DisruptionTarget`. */
  readonly condition: { readonly reason: string; readonly message: string };
}

/** Deletes pods when a taint has been tolerated for long enough; remembers since when it is there, for taints that do not say. */
export class TaintManager {
  /** Pods that are going to be evicted → when that was seen first. */
  readonly #scheduled = new Map<string, number>();

  constructor(
    private readonly context: Pick<ControllerContext, 'client' | 'clock' | 'events'>,
    private readonly texts: TaintManagerTexts,
  ) {}

  /** The pod is gone, or nothing can be evicted of it. */
  forget(key: string): void {
    this.#scheduled.delete(key);
  }

  /** `evictionTime`: when the pod has to go, given since when that is known. */
  async reconcile(key: string, pod: Pod, evictionTime: (since: number) => number | 'never', signal: AbortSignal): Promise<Outcome> {
    const { client, clock, events } = this.context;
    const { reason, cancelling, marking, condition } = this.texts;
    const since = this.#scheduled.get(key) ?? clock.now();
    const when = evictionTime(since);
    if (when === 'never') {
      if (this.#scheduled.delete(key)) events(pod as KubeObject, 'Normal', reason, cancelling(key));
      return undefined;
    }
    const wait = when - clock.now();
    if (wait > 0) {
      this.#scheduled.set(key, since);
      return { requeueAfterMs: wait };
    }
    this.#scheduled.delete(key);
    events(pod as KubeObject, 'Normal', reason, marking(key));
    const { uid, name = '' } = pod.metadata;
    const target = { type: 'DisruptionTarget', status: 'True', ...condition, lastTransitionTime: formatTime(clock.now()) };
    const pods = client.api.pods(pod.metadata.namespace);
    try {
      await pods.patch(name, 'strategic', { metadata: { uid }, status: { conditions: [target] } }, { subresource: 'status', signal });
      await pods.delete(name, { signal, ...(uid && { preconditions: { uid } }) });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  }
}
