import { isConflict } from '@coxswain/apimachinery';
import { WorkQueue, type RateLimiter, type WorkQueueMetrics } from '@coxswain/client';
import { defineComponent, silentLogger, type Clock, type Component, type Logger } from '@coxswain/sdk';
import { TerminalError, type Reconcile } from './reconciler.js';
import type { KeyQueue, Watch } from './watch.js';

export interface ControllerOptions {
  /** Names the component, its queue in metrics, and its lines in the log. */
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly watches: readonly Watch[];
  /** Caches that `reconcile` reads without watching them. */
  readonly reads?: readonly { start(): void; synced(signal: AbortSignal): Promise<void> }[];
  /** How many keys are worked on at once. Default 1. */
  readonly workers?: number;
  /** Runs when the caches are synced, before the workers: to queue a first key or begin a timer. Returns its undo. */
  readonly begin?: (queue: KeyQueue) => (() => void) | undefined;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: WorkQueueMetrics | undefined;
  readonly rateLimiter?: RateLimiter<string>;
}

/**
 * A controller as a component. Starting attaches the watches, starts their informers (harmless when a factory did), waits for their
 * first lists and begins to work; stopping takes nothing more, waits for what is in flight, and aborts it at the deadline.
 * A failing key is logged and tried again later; it never affects another key or the controller.
 */
export function buildController(options: ControllerOptions): Component {
  return defineComponent(options.name, async (signal) => {
    const running = new RunningController(options);
    try {
      await running.start(signal);
    } catch (error) {
      await running.stop(AbortSignal.abort());
      throw error;
    }
    return (deadline) => running.stop(deadline);
  });
}

class RunningController {
  readonly #queue: WorkQueue;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #undo: (() => void)[] = [];
  #workers: Promise<void>[] = [];

  constructor(private readonly options: ControllerOptions) {
    const { name, clock, metrics, rateLimiter, logger } = options;
    this.#logger = (logger ?? silentLogger).child({ controller: name });
    this.#queue = new WorkQueue({ name, clock, metrics, ...(rateLimiter && { rateLimiter }) });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { watches, reads = [], workers = 1, begin } = this.options;
    for (const watch of watches) this.#undo.push(watch.attach(this.#queue));
    const caches = [...watches.flatMap((w) => (w.informer ? [w.informer] : [])), ...reads];
    for (const cache of caches) cache.start();
    await Promise.all(caches.map((cache) => cache.synced(signal)));
    const undo = begin?.(this.#queue);
    if (undo) this.#undo.push(undo);
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  async stop(deadline: AbortSignal): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) undo();
    const abort = () => this.#abort.abort(new Error(`${this.options.name} is stopping`));
    deadline.addEventListener('abort', abort, { once: true });
    if (deadline.aborted) abort();
    await this.#queue.shutDownAndWait();
    await Promise.all(this.#workers);
    deadline.removeEventListener('abort', abort);
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      await this.#one(key);
      this.#queue.done(key);
    }
  }

  /** Never rejects. */
  async #one(key: string): Promise<void> {
    try {
      const result = await this.options.reconcile(key, this.#abort.signal);
      this.#queue.forget(key);
      if (result?.requeueAfterMs && result.requeueAfterMs > 0) this.#queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof TerminalError) {
        this.#queue.forget(key);
        this.#logger.error('reconciling failed for good', { key, err: error });
        return;
      }
      // Somebody was faster: the usual way of things.
      if (isConflict(error)) this.#logger.debug('conflict while reconciling', { key, err: error });
      else this.#logger.warn('reconciling failed', { key, err: error, failures: this.#queue.requeues(key) + 1 });
      this.#queue.addRateLimited(key);
    }
  }
}
