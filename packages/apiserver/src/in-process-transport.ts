import { setMaxListeners } from 'node:events';
import { ApiError } from '@coxswain/apimachinery';
import type { Transport, TransportRequest, WatchEvent } from '@coxswain/client';
import type { UserInfo } from '@coxswain/sdk';
import type { ApiHandler } from './api-handler.js';
import { inOnePiece } from './request/api-request.js';
import type { ApiRequest, ApiResponse, StreamSink } from './request/api-request.js';
import { objectFraming } from './storage/watch-groups.js';
import type { Payload } from './storage/watch-groups.js';

/** Undelivered batches a consumer may have before its stream ends and it has to resume. */
const MAX_PENDING = 10_000;

/**
 * The API for components in this process: the same chain from authorization on, as `user`, without TLS and without text. Objects
 * that come back are the server's own and must not be changed.
 */
export function inProcessTransport(handler: ApiHandler, user: UserInfo): Transport {
  const closing = new AbortController();
  const caller = { user };
  // Who asks often asks with the same signal: joining it with ours costs more than many a request.
  const joined = new WeakMap<AbortSignal, AbortSignal>();
  const untilClosed = (signal: AbortSignal): AbortSignal => {
    let both = joined.get(signal);
    if (both) return both;
    both = AbortSignal.any([signal, closing.signal]);
    // As many as there are requests at once.
    setMaxListeners(0, both);
    joined.set(signal, both);
    return both;
  };
  const send = async (request: TransportRequest): Promise<{ response: Exclude<ApiResponse, { type: 'list' }>; signal: AbortSignal }> => {
    const signal = request.signal ? untilClosed(request.signal) : closing.signal;
    signal.throwIfAborted();
    return { response: inOnePiece(await handler.handle(new InProcessApiRequest(request, signal, caller))), signal };
  };
  return {
    async request(request) {
      const { response } = await send(request);
      if (response.type !== 'bytes') throw ApiError.badRequest('this request is answered with a stream');
      return {
        status: response.status,
        headers: headersOf(response),
        body: response.body,
        ...(response.object === undefined ? {} : { object: response.object }),
      };
    },
    async stream(request) {
      const { response, signal } = await send(request);
      switch (response.type) {
        case 'bytes': {
          const body = response.object === undefined ? response.body : Buffer.from(JSON.stringify(response.object));
          return { status: response.status, headers: headersOf(response), chunks: once(body) };
        }
        case 'stream': {
          const queue = new EventQueue(signal);
          response.start(queue);
          return { status: response.status, headers: headersOf(response), chunks: asText(queue), events: queue };
        }
        case 'handled':
          throw ApiError.badRequest('this request needs a connection');
      }
    },
    async close() {
      closing.abort();
    },
  };
}

class InProcessApiRequest implements ApiRequest {
  readonly framing = objectFraming;
  readonly remoteAddress = undefined;
  readonly peerCertificate = undefined;
  readonly raw = undefined;
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly request: TransportRequest,
    readonly signal: AbortSignal,
    readonly caller: { readonly user: UserInfo },
  ) {
    this.method = request.method;
    this.path = request.path;
    this.search = request.query ?? '';
    this.headers = request.headers;
  }

  get connection(): object {
    return this.caller;
  }

  async body(): Promise<Buffer> {
    const { body } = this.request;
    if (body === undefined) return Buffer.alloc(0);
    return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }
}

/** Bounded: a consumer that does not keep up loses its stream, not the server its memory. */
class EventQueue implements StreamSink, AsyncIterable<readonly WatchEvent[]> {
  readonly framing = objectFraming;
  readonly #listeners: (() => void)[] = [];
  #pending: (readonly WatchEvent[])[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(signal: AbortSignal) {
    if (signal.aborted) this.end();
    else {
      const abort = () => this.end();
      signal.addEventListener('abort', abort, { once: true });
      this.onClose(() => signal.removeEventListener('abort', abort));
    }
  }

  write(payload: Payload): boolean {
    if (this.#ended) return false;
    this.#pending.push(payload as readonly WatchEvent[]);
    if (this.#pending.length > MAX_PENDING) this.end();
    this.#wake?.();
    return !this.#ended;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const listener of this.#listeners.splice(0)) listener();
    this.#wake?.();
  }

  onClose(listener: () => void): void {
    if (this.#ended) listener();
    else this.#listeners.push(listener);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<readonly WatchEvent[]> {
    try {
      for (;;) {
        const batches = this.#pending;
        this.#pending = [];
        for (const batch of batches) yield batch;
        if (this.#pending.length > 0) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.end();
    }
  }
}

async function* asText(queue: EventQueue): AsyncIterable<Uint8Array> {
  for await (const batch of queue) for (const event of batch) yield Buffer.from(`${JSON.stringify(event)}\n`);
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body;
}

function headersOf(response: Exclude<ApiResponse, { type: 'handled' }>): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': response.contentType };
  for (const [name, value] of Object.entries(response.headers ?? {})) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}
