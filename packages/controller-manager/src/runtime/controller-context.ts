import type { KubeObject } from '@coxswain/api';
import type { InformerFactory, KubeClient } from '@coxswain/client';
import type { KeyQueue } from '@coxswain/controller';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { ControllerManagerConfig } from '../controller-manager-config.js';

/** Records an Event about an object; never fails, never waits. */
export type EventSink = (about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** What every controller is made from. */
export interface ControllerContext {
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly config: ControllerManagerConfig;
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
  /** Register informer handlers that queue keys; returns the undo. Called when the informers are synced: they tell of what is there. */
  watch(queue: KeyQueue): () => void;
  reconcile(key: string, signal: AbortSignal): Promise<Outcome> | Outcome;
  /** Runs once when the caches are synced, e.g. to queue a first key; returns the undo. */
  begin?(queue: KeyQueue): () => void;
}

export type { KeyQueue };

export type ControllerFactory = (context: ControllerContext) => Controller;
