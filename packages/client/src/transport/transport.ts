import type { Duplex } from 'node:stream';
import type { WatchEvent } from '../watch/watch-event.js';

export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Percent-encoded, starting with `/`, without the query. */
  readonly path: string;
  /** Encoded, without the `?`. Absent or '': none. */
  readonly query?: string | undefined;
  /** Lower-case names. Credentials are added by the transport. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Lower-case names; repeated headers (`warning`) are joined with `, `. */
export type ResponseHeaders = Readonly<Record<string, string>>;

export interface TransportResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Uint8Array;
  /**
   * The body as an object, when the transport has it without parsing (in-process). It may be the server's own cached object:
   * never change it. `body` may then be empty.
   */
  readonly object?: unknown;
}

export interface TransportStream {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Ends when the server ends it or the request's signal aborts; leaving the loop early closes the stream. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** For a watch with status 200, when the transport has decoded events (in-process): use instead of `chunks`; never change the objects. */
  readonly events?: AsyncIterable<readonly WatchEvent[]>;
}

export interface TransportUpgrade {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The raw connection after a 101; undefined when the server answered something else, with the answer in `body`. */
  readonly socket?: Duplex;
  readonly body?: Uint8Array;
}

/**
 * How requests reach an API server. HTTPS is one implementation; an API server in the same process can offer another with the same
 * semantics and errors. Answers of any status resolve; only failing to get an answer rejects: with `TransportError`, or with the
 * signal's reason when the request was aborted. No retries at this level.
 */
export interface Transport {
  /** `10.0.0.1:6443`, for metrics; absent when there is no network between. */
  readonly host?: string;
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Resolves with the answer's head; the body follows as it comes. */
  stream(request: TransportRequest): Promise<TransportStream>;
  /** Switch protocols (exec, attach, port-forward). Absent: not offered. */
  upgrade?(request: TransportRequest): Promise<TransportUpgrade>;
  /** Idempotent; ends what is in flight. */
  close(): Promise<void>;
}

/** No answer was received: whether the request took effect is unknown unless `sent` is false. */
export class TransportError extends Error {
  override readonly name = 'TransportError';

  constructor(
    message: string,
    /** False: the request never left (refused, no route, TLS failed), so it can be repeated safely. */
    readonly sent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
