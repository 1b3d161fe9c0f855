import type { UserInfo } from '@coxswain/sdk';
import type { Payload, WatchFraming } from '../storage/watch-groups.js';
import type { ListBody } from './list-body.js';
import type { PeerCertificateInfo } from './peer-certificate.js';
import type { RawExchange } from './raw-exchange.js';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One request, whatever carries it: HTTP/1.1, HTTP/2 or a call inside the process. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query, as sent. */
  readonly path: string;
  /** The query without `?`; '' when there is none. */
  readonly search: string;
  /** Names in lower case. */
  readonly headers: Headers;
  /** Reads the whole body; rejects with 413 over the limit. */
  body: () => Promise<Buffer>;
  /** Aborts when the client goes away. Made on first use. */
  readonly signal: AbortSignal;
  readonly framing: WatchFraming;
  readonly remoteAddress: string | undefined;
  readonly peerCertificate: PeerCertificateInfo | undefined;
  /** Something that lives as long as the connection, to remember what was found out about it. */
  readonly connection: object;
  /** Absent inside the process: nothing to pass through. */
  readonly raw: RawExchange | undefined;
  /** Set by callers in this process: who they are, and that answers may be objects instead of text. */
  readonly caller?: { readonly user: UserInfo };
}

/** Where a streaming answer goes. */
export interface StreamSink {
  readonly framing: WatchFraming;
  /** What `framing` has made. False: too slow, and closed. */
  write(payload: Payload): boolean;
  /** The regular end. */
  end(): void;
  /** Called once when the stream is over, whoever ended it. */
  onClose(listener: () => void): void;
}

export type ApiResponse =
  | {
      readonly type: 'bytes';
      readonly status: number;
      readonly contentType: string;
      readonly body: Buffer;
      readonly headers?: Readonly<Record<string, string | string[]>> /** The body as it was before encoding; then `body` may be empty. Never changed. */;
      readonly object?: unknown;
    }
  /** A long list, in pieces. */
  | {
      readonly type: 'list';
      readonly status: number;
      readonly contentType: string;
      readonly body: ListBody;
      readonly headers?: Readonly<Record<string, string | string[]>>;
    }
  /** `start` runs after the headers are on their way. */
  | {
      readonly type: 'stream';
      readonly status: number;
      readonly contentType: string;
      readonly start: (sink: StreamSink) => void;
      readonly headers?: Readonly<Record<string, string | string[]>>;
    }
  /** The handler has answered on `request.raw` itself. */
  | { readonly type: 'handled'; readonly status: number };

/** The same with a list in one piece. */
export function inOnePiece<T extends ApiResponse>(response: T): Exclude<T | WholeResponse, { type: 'list' }> {
  const whole: ApiResponse = response.type === 'list' ? { ...response, type: 'bytes', body: response.body.toBuffer() } : response;
  return whole as Exclude<T | WholeResponse, { type: 'list' }>;
}

type WholeResponse = Extract<ApiResponse, { type: 'bytes' }>;

export function jsonResponse(status: number, value: unknown): ApiResponse {
  return { type: 'bytes', status, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

export function textResponse(status: number, text: string, contentType = 'text/plain; charset=utf-8'): ApiResponse {
  return { type: 'bytes', status, contentType, body: Buffer.from(text), headers: { 'x-content-type-options': 'nosniff' } };
}
