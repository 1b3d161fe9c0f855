import type { OutgoingHttpHeaders } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ApiRequest } from '../request/api-request.js';
import type { PeerCertificateInfo } from '../request/peer-certificate.js';
import type { RawExchange } from '../request/raw-exchange.js';
import { rawFraming } from '../storage/watch-groups.js';
import { readBody } from './body.js';
import { certificateOfConnection } from './http1-request.js';

const NO_BYTES = Buffer.alloc(0);
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-connection']);

export class Http2Request implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly framing = rawFraming;
  #abort: AbortController | undefined;

  constructor(
    readonly stream: ServerHttp2Stream,
    readonly headers: IncomingHttpHeaders,
  ) {
    this.method = headers[':method'] ?? 'GET';
    const url = headers[':path'] ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? '' : url.slice(mark + 1);
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.stream.destroyed) abort.abort();
      this.stream.once('close', () => {
        if (!this.stream.writableFinished) abort.abort();
      });
    }
    return this.#abort.signal;
  }

  get #socket(): TLSSocket | undefined {
    return this.stream.session?.socket as TLSSocket | undefined;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  get peerCertificate(): PeerCertificateInfo | undefined {
    const { session } = this.stream;
    // The session's socket is a proxy object made anew on each access: the session itself is the key.
    return session ? certificateOfSession(session, this.#socket as TLSSocket) : undefined;
  }

  get connection(): object {
    return this.stream.session ?? this.stream;
  }

  get raw(): RawExchange {
    const { stream, headers } = this;
    return {
      headers,
      input: stream,
      head: NO_BYTES,
      upgrade: undefined,
      respond(status: number, out: OutgoingHttpHeaders): Writable {
        const kept = Object.fromEntries(Object.entries(out).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase())));
        stream.respond({ ...kept, ':status': status });
        return stream;
      },
    };
  }

  body(): Promise<Buffer> {
    const declared = this.headers['content-length'];
    return readBody(this.stream, declared === undefined ? undefined : Number(declared));
  }
}

const sessions = new WeakMap<object, PeerCertificateInfo | null>();

function certificateOfSession(session: object, socket: TLSSocket): PeerCertificateInfo | undefined {
  let found = sessions.get(session);
  if (found === undefined) sessions.set(session, (found = certificateOfConnection(socket) ?? null));
  return found ?? undefined;
}
