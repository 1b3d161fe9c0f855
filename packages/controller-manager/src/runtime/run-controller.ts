import { WorkQueue, type PrometheusWorkQueueMetrics } from '@coxswain/client';
import { isConflict } from '@coxswain/apimachinery';
import type { Clock, Logger } from '@coxswain/sdk';
import type { Controller } from './controller-context.js';

export interface RunningController {
  /** Start to work on what was queued. Call when the caches are synced. */
  begin(): void;
  stop(): Promise<void>;
}

interface RunOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: PrometheusWorkQueueMetrics;
}

/** Connects a controller to its queue and runs its workers. */
export function runController(controller: Controller, { clock, logger, metrics }: RunOptions): RunningController {
  const queue = new WorkQueue<string>({ name: controller.name, clock, metrics });
  const abort = new AbortController();
  const unwatch = controller.watch(queue);
  const log = logger.child({ controller: controller.name });
  let workers: Promise<void>[] = [];
  let end = () => {};

  async function work(): Promise<void> {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        const outcome = await controller.reconcile(key, abort.signal);
        queue.forget(key);
        if (outcome) queue.addAfter(key, outcome.requeueAfterMs);
      } catch (error) {
        if (!abort.signal.aborted) {
          // A conflict only says that the picture was old; the event that makes it new is on its way.
          if (isConflict(error)) log.debug('conflict, trying again', { key });
          else log.warn('reconcile failed', { key, err: error });
          queue.addRateLimited(key);
        }
      } finally {
        queue.done(key);
      }
    }
  }

  return {
    begin() {
      end = controller.begin?.(queue, abort.signal) ?? end;
      workers = Array.from({ length: controller.concurrency ?? 5 }, work);
    },
    async stop() {
      unwatch();
      end();
      abort.abort(new Error('controller stopping'));
      await queue.shutDownAndWait();
      await Promise.all(workers);
    },
  };
}
