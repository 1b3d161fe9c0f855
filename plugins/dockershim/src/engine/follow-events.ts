import type { Clock, Logger } from '@coxswain/sdk';
import type { Engine } from './engine.js';
import type { EngineEvent } from './engine-types.js';

const ACTIONS = ['die', 'oom', 'exec_die'];
const RETRY_MS = 500;

export interface EventHandlers {
  readonly event: (event: EngineEvent) => void;
  /** Events may have been missed: look at everything. */
  readonly resync: () => void;
}

/** Follows the engine's events until stopped, across its restarts. Returns the stop. */
export function followEvents(
  engine: Engine,
  handlers: EventHandlers,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): () => Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  let since: bigint | undefined = BigInt(Math.floor(clock.now())) * 1_000_000n;
  const run = async () => {
    for (let broken = false; !signal.aborted; broken = true) {
      try {
        if (broken) {
          await engine.ping(10_000);
          handlers.resync();
        }
        for await (const event of engine.events(ACTIONS, since, signal)) {
          since = BigInt(event.timeNano);
          handlers.event(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('the Docker Engine does not tell events; trying again', { err: error });
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {});
    }
  };
  const done = run();
  return async () => {
    stop.abort(new Error('events are no longer followed'));
    await done;
  };
}
