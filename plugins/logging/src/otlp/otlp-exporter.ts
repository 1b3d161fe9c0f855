import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { LogEntry } from '../log-entry.js';
import type { ExportQueue } from './export-queue.js';
import { otlpPayload } from './otlp-payload.js';

export interface OtlpExporterOptions {
  /** `https://collector:4318/v1/logs`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly queue: ExportQueue;
  readonly nodeName: string;
  readonly clusterName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Replaces the network in tests. */
  readonly post?: typeof fetch;
}

const BATCH = 512;
const EVERY_MS = 1000;
const TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** The only answers OTLP lets a client repeat (specification, "Failures"). */
const RETRYABLE = new Set([429, 502, 503, 504]);

type Outcome =
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'again'; readonly why: string; readonly afterMs?: number };

/** Sends entries by OTLP over HTTP with JSON, in batches; waits longer and longer while the collector does not take them. */
export class OtlpExporter {
  sent = 0;
  refused = 0;
  #wake = () => {};

  constructor(readonly options: OtlpExporterOptions) {}

  push(entries: readonly LogEntry[]): void {
    this.options.queue.push(entries);
    if (this.options.queue.length >= BATCH) this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { queue } = this.options;
    while (!signal.aborted) {
      if (queue.length < BATCH) await this.#pause(signal);
      while (queue.length > 0 && !signal.aborted) await this.#deliver(queue.take(BATCH), signal);
    }
    // One try for what is left.
    if (queue.length > 0) await this.#send(queue.take(BATCH)).catch(() => {});
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.options.clock.setTimeout(done, EVERY_MS);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  async #deliver(batch: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.options;
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
      const outcome = await this.#send(batch);
      switch (outcome.type) {
        case 'done':
          this.sent += batch.length;
          return;
        case 'refused':
          this.refused += batch.length;
          logger.error('the log collector refuses entries for good', { why: outcome.why, entries: batch.length });
          return;
        case 'again':
          logger.warn('the log collector did not take entries; trying again', { why: outcome.why, waitMs: outcome.afterMs ?? wait });
          await clock.sleep(outcome.afterMs ?? wait * (0.5 + random.next() / 2), signal).catch(() => {});
      }
    }
  }

  async #send(batch: readonly LogEntry[]): Promise<Outcome> {
    const { endpoint, headers, post = fetch } = this.options;
    let answer: Response;
    try {
      answer = await post(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(otlpPayload(batch, this.options)),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      return { type: 'again', why: (error as Error).message };
    }
    const text = await answer.text().catch(() => '');
    if (answer.ok) return { type: 'done' };
    const why = `${answer.status} ${text.slice(0, 200)}`;
    if (!RETRYABLE.has(answer.status)) return { type: 'refused', why };
    const seconds = Number(answer.headers.get('retry-after'));
    return { type: 'again', why, ...(seconds > 0 ? { afterMs: seconds * 1000 } : {}) };
  }
}
