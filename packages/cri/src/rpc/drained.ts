import type { EventEmitter } from 'node:events';

/** When a stream takes more again, or nobody wants it to any more. What listened is gone by then: a long stream waits many times. */
export function drained(stream: Pick<EventEmitter, 'once' | 'off'>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
