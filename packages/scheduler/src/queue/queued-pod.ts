import type { Pod } from '@coxswain/api';
import type { QueuedPod } from '@coxswain/sdk';
import { podKey } from '../framework/pod-key.js';

/** A pod in the queue with what past attempts taught. `pod` is replaced when the API's object changes; the rest is kept. */
export interface QueueItem extends QueuedPod {
  readonly key: string;
  pod: Pod;
  queuedAt: number;
  attempts: number;
  /** Wall time of the end of the last attempt; back-off counts from it. */
  lastAttemptAt: number;
  /** Plugins that refused it last time: only events they care for bring it back. Empty: any event does. */
  refusedBy: ReadonlySet<string>;
  /** Held back by a preEnqueue plugin (scheduling gates) of this name. */
  gatedBy: string | undefined;
  unschedulableSince: number;
}

export const newQueueItem = (pod: Pod, now: number): QueueItem => ({
  key: podKey(pod),
  pod,
  queuedAt: now,
  attempts: 0,
  lastAttemptAt: now,
  refusedBy: new Set(),
  gatedBy: undefined,
  unschedulableSince: 0,
});
