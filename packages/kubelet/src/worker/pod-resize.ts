import type { Pod, ResourceRequirements } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import type { Logger } from '@coxswain/sdk';
import type { PodCgroups } from '../cgroups/pod-cgroups.js';
import type { KubeletEvents } from '../events.js';
import type { ResizePending } from '../node/admission.js';
import type { ObservedPod } from '../pod/observed.js';
import type { ResizeCondition } from '../status/conditions.js';
import { applyResize, type ResizeDeps, wantsResize } from './resize.js';
import { ResizeEvents } from './resize-events.js';

export interface PodResizeDeps extends ResizeDeps {
  readonly logger: Logger;
  readonly events: KubeletEvents;
  readonly cgroups: PodCgroups | undefined;
  /** Why the node cannot give a running pod what it asks for now; undefined: it can. */
  readonly resizePending: (pod: Pod) => ResizePending | undefined;
}

/** Gives one running pod the resources that it asks for now. */
export class PodResize {
  readonly #tried = new Map<string, string>();
  readonly #events: ResizeEvents;
  #note: ResizeCondition | undefined;
  /** What of the pod's own resources is in force; undefined: nothing was done about them yet. */
  #own: ResourceRequirements | undefined;

  constructor(
    private readonly uid: string,
    private readonly deps: PodResizeDeps,
  ) {
    this.#events = new ResizeEvents(deps);
  }

  /** Why it is not done. */
  get note(): ResizeCondition | undefined {
    return this.#note;
  }

  /** What of the pod's own resources holds now: a former kubelet's work shows in the status. */
  inForce(pod: Pod): ResourceRequirements | undefined {
    return this.#own ?? pod.status?.resources ?? pod.spec?.resources;
  }

  /** The pod's group makes room before its containers grow, and follows when they shrink. Answers whether anything was done. */
  async run(pod: Pod, observed: ObservedPod): Promise<boolean> {
    if (observed.sandboxes.length === 0) return false;
    const before = this.inForce(pod);
    const own = !deepEqual(before, pod.spec?.resources);
    if (own || wantsResize(pod, observed, this.#tried, this.deps.resourceOptions)) {
      const pending = this.deps.resizePending(pod);
      if (pending) {
        this.#events.pending(pod, pending.reason, pending.message);
        this.#note = { type: 'PodResizePending', ...pending };
        return false;
      }
      this.#note = undefined;
      this.#events.started(pod);
    } else {
      this.#events.settled(pod);
      // One that was taken back needs nothing any more.
      if (this.#note?.type === 'PodResizePending') this.#note = undefined;
    }
    await this.#fit(pod);
    const { changed, refused } = await applyResize(pod, observed, this.#tried, this.deps);
    if (changed) {
      this.#note = refused === undefined ? undefined : { type: 'PodResizeInProgress', reason: 'Error', message: refused };
      if (refused !== undefined) this.#events.failed(pod, refused);
      await this.#fit(pod);
    }
    return changed || (own && this.#own !== before);
  }

  async #fit(pod: Pod): Promise<void> {
    try {
      await this.deps.cgroups?.ensure(pod);
      this.#own = pod.spec?.resources;
    } catch (error) {
      this.deps.logger.debug('the limits of a pod are not taken yet', { uid: this.uid, err: error });
    }
  }
}
