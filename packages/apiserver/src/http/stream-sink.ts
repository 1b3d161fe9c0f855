import type { Duplex, Writable } from 'node:stream';
import type { Clock } from '@coxswain/sdk';
import type { StreamSink } from '../request/api-request.js';
import type { Payload, WatchFraming } from '../storage/watch-groups.js';

/** What a slow client may leave unread before its stream is ended; it resumes from what it has seen. */
const MAX_BUFFERED = 8 * 1024 * 1024;
const END_GRACE_MS = 5000;

/**
 * A stream of events to one client. Writes never wait: the buffers are shared by all watchers, and a client that lets too much pile
 * up is disconnected.
 */
export class HttpStreamSink implements StreamSink {
  #closed = false;
  #allowance = MAX_BUFFERED;
  readonly #listeners: (() => void)[] = [];

  /**
   * @param wire where framed bytes go: the naked socket for HTTP/1.1 (whose chunks are framed by us), the stream for HTTP/2
   * @param response what ends the exchange
   */
  constructor(
    readonly wire: Duplex,
    readonly response: Writable,
    readonly framing: WatchFraming,
    readonly clock: Clock,
    /** The last words, for protocols that have some. */
    readonly goodbye?: Buffer,
  ) {
    response.once('close', () => this.#finish());
    response.on('error', () => this.#finish());
  }

  write(payload: Payload): boolean {
    if (this.#closed) return false;
    const bytes = payload as Buffer;
    // A first answer larger than the limit (an initial list) is let through whole.
    if (this.wire.writableLength === 0) this.#allowance = Math.max(MAX_BUFFERED, bytes.length * 2);
    else if (this.wire.writableLength > this.#allowance) {
      this.end();
      return false;
    }
    this.wire.write(bytes);
    return true;
  }

  end(): void {
    if (this.#closed) return;
    this.#finish();
    if (this.goodbye) this.response.end(this.goodbye);
    else this.response.end();
    // A client that reads nothing must not hold the connection for ever.
    const cancel = this.clock.setTimeout(() => this.response.destroy(), END_GRACE_MS);
    this.response.once('close', cancel);
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#listeners.push(listener);
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener();
  }
}
