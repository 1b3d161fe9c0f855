import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ApiRequest } from '../request/api-request.js';
import { peerCertificateOf } from '../request/peer-certificate.js';
import type { PeerCertificateInfo } from '../request/peer-certificate.js';
import type { RawExchange } from '../request/raw-exchange.js';
import { readBody } from './body.js';
import { chunkedFraming } from './framing.js';

const NO_BYTES = Buffer.alloc(0);
const certificates = new WeakMap<object, PeerCertificateInfo | null>();

export function certificateOfConnection(socket: TLSSocket): PeerCertificateInfo | undefined {
  let found = certificates.get(socket);
  if (found === undefined) certificates.set(socket, (found = peerCertificateOf(socket) ?? null));
  return found ?? undefined;
}

export class Http1Request implements ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly framing = chunkedFraming;
  #abort: AbortController | undefined;

  constructor(
    readonly message: IncomingMessage,
    readonly response: ServerResponse | undefined,
    readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer },
  ) {
    this.method = message.method ?? 'GET';
    const url = message.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? '' : url.slice(mark + 1);
  }

  get headers(): ApiRequest['headers'] {
    return this.message.headers;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      const source = this.response ?? this.upgrade?.socket;
      if (this.message.socket.destroyed) abort.abort();
      source?.once('close', () => {
        // A finished answer is no reason to abort.
        if (!this.response?.writableFinished) abort.abort();
      });
    }
    return this.#abort.signal;
  }

  get remoteAddress(): string | undefined {
    return this.message.socket.remoteAddress;
  }

  get peerCertificate(): PeerCertificateInfo | undefined {
    return certificateOfConnection(this.message.socket as TLSSocket);
  }

  get connection(): object {
    return this.message.socket;
  }

  get raw(): RawExchange {
    const { message, response, upgrade } = this;
    return {
      headers: message.headers,
      input: message,
      head: upgrade?.head ?? NO_BYTES,
      upgrade: upgrade?.socket,
      respond(status: number, headers: OutgoingHttpHeaders): Writable {
        if (!response) throw new Error('an upgrade request is answered on its socket');
        response.writeHead(status, headers);
        response.flushHeaders();
        return response;
      },
    };
  }

  body(): Promise<Buffer> {
    const declared = this.message.headers['content-length'];
    return readBody(this.message, declared === undefined ? undefined : Number(declared));
  }
}
