import type { KubeObject } from '@coxswain/api';
import type { InformerFactory, KubeClient } from '@coxswain/client';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { KeyQueue } from '../reconcile/watch.js';

/** Records an Event about an object; never fails, never waits. */
export type EventSink = (about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** What every controller of a manager is made from. */
export interface ManagedContext<Config> {
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly config: Config;
}

/** Done (undefined), or to be looked at again after a while although nothing changed. */
export type Outcome = { readonly requeueAfterMs: number } | undefined;

/**
 * A controller: what makes it look at a key, and what it does then. `reconcile` gets a key, never an event: it reads the state,
 * decides and acts; throwing means "again, with back-off".
 */
export interface Controller {
  readonly name: string;
  /** How many keys are worked on at once. Default 5. */
  readonly concurrency?: number;
  /** The first and the longest delay between tries of a key that fails, in milliseconds. Default: client-go's (5 ms to 1000 s). */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** Register informer handlers that queue keys; returns the undo. Called when the informers are synced: they tell of what is there. */
  watch(queue: KeyQueue): () => void;
  reconcile(key: string, signal: AbortSignal): Promise<Outcome> | Outcome;
  /** Runs once when the caches are synced, e.g. to queue a first key; returns the undo. */
  begin?(queue: KeyQueue): () => void;
}
