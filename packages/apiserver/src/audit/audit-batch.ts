import type { Clock } from '@coxswain/sdk';

export interface BatchLimits {
  /** Events that wait; what comes on top is dropped. */
  readonly bufferSize: number;
  /** Events of one batch. */
  readonly maxSize: number;
  /** How long a batch waits for more. */
  readonly maxWaitMs: number;
  /** Batches a second, and how many at once after a quiet time. Absent: as they come. */
  readonly throttle?: { readonly qps: number; readonly burst: number };
}

export interface AuditBatchOptions extends BatchLimits {
  readonly clock: Clock;
  /** One batch after the other. */
  readonly send: (lines: readonly string[]) => Promise<void> | void;
  /** `events` are lost: the buffer was full, or the batch could not be sent. */
  readonly onLost: (events: number, error?: unknown) => void;
}

/** Gathers events and sends them by the batch, so that no request waits for where they go. */
export class AuditBatch {
  #waiting: string[] = [];
  #lost = 0;
  #sending: Promise<void> | undefined;
  #cancelWait = () => {};
  #closing = false;
  #tokens: number;
  #at: number;

  constructor(readonly options: AuditBatchOptions) {
    this.#tokens = options.throttle?.burst ?? 0;
    this.#at = options.clock.monotonic();
  }

  /** Never waits, never throws. */
  add(line: string): void {
    const { bufferSize, maxSize, maxWaitMs, clock } = this.options;
    if (this.#waiting.length >= bufferSize) {
      this.#lost++;
      return;
    }
    this.#waiting.push(line);
    if (this.#sending) return;
    if (this.#waiting.length >= maxSize) this.#begin();
    else if (this.#waiting.length === 1) this.#cancelWait = clock.setTimeout(() => this.#begin(), maxWaitMs);
  }

  /** Sends what is left, without being throttled. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#waiting.length > 0 && !this.#sending) this.#begin();
    await this.#sending;
  }

  #begin(): void {
    this.#cancelWait();
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
      // What came while the last batch was on its way waits its own time.
      if (this.#waiting.length > 0) this.#cancelWait = this.options.clock.setTimeout(() => this.#begin(), this.options.maxWaitMs);
    });
  }

  async #drain(): Promise<void> {
    const { maxSize, send, onLost } = this.options;
    do {
      await this.#turn();
      const batch = this.#waiting.splice(0, maxSize);
      try {
        await send(batch);
      } catch (error) {
        onLost(batch.length, error);
      }
      if (this.#lost > 0) onLost(this.#lost);
      this.#lost = 0;
    } while (this.#waiting.length >= maxSize || (this.#closing && this.#waiting.length > 0));
  }

  async #turn(): Promise<void> {
    const { throttle, clock } = this.options;
    if (!throttle || this.#closing) return;
    const now = clock.monotonic();
    this.#tokens = Math.min(throttle.burst, this.#tokens + ((now - this.#at) / 1000) * throttle.qps) - 1;
    this.#at = now;
    if (this.#tokens < 0) await clock.sleep((-this.#tokens / throttle.qps) * 1000);
  }
}
