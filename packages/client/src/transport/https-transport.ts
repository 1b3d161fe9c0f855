import { setMaxListeners } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { systemClock, type Clock } from '@coxswain/sdk';
import { Http2Pool, trackStream, type TlsOptions } from './http2-pool.js';
import type { TokenSource } from './token-source.js';
import { TransportError, type Transport, type TransportRequest, type TransportResponse, type TransportStream, type TransportUpgrade } from './transport.js';

export interface HttpsTransportOptions extends TlsOptions {
  /** `https://10.0.0.1:6443`, with an optional path prefix; `http:` works too. */
  readonly server: string;
  readonly token?: TokenSource | undefined;
  /** Extra headers on every request, such as impersonation. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly clock?: Clock | undefined;
}

interface Head {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/** The API over TLS: HTTP/2 where the server offers it, else HTTP/1.1 keep-alive; upgrades always over HTTP/1.1. */
export class HttpsTransport implements Transport {
  readonly #url: URL;
  readonly #prefix: string;
  readonly host: string;
  readonly #pool: Http2Pool | undefined;
  readonly #plainAgent = new http.Agent({ keepAlive: true });

  constructor(private readonly options: HttpsTransportOptions) {
    this.#url = new URL(options.server);
    this.host = this.#url.host;
    this.#prefix = this.#url.pathname.replace(/\/$/, '');
    this.#pool = this.#url.protocol === 'http:' ? undefined : new Http2Pool(this.#url, options, options.clock ?? systemClock);
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const head = await this.#send(request);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of head.body) chunks.push(chunk as Buffer);
      checkComplete(
        head,
        chunks.reduce((n, c) => n + c.length, 0),
      );
    } catch (error) {
      throw this.#failure(request, error as Error, true);
    }
    return { status: head.status, headers: head.headers, body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
  }

  async stream(request: TransportRequest): Promise<TransportStream> {
    const head = await this.#send(request);
    return { status: head.status, headers: head.headers, chunks: this.#chunks(request, head) };
  }

  async *#chunks(request: TransportRequest, head: Head): AsyncIterable<Uint8Array> {
    const { body } = head;
    try {
      for await (const chunk of body) yield chunk as Buffer;
      checkComplete(head);
    } catch (error) {
      if (request.signal?.aborted) return;
      throw this.#failure(request, error as Error, true);
    } finally {
      body.destroy();
    }
  }

  async upgrade(request: TransportRequest): Promise<TransportUpgrade> {
    const headers = await this.#headers(request);
    return new Promise((resolve, reject) => {
      const req = this.#http1(request, headers, true);
      req.once('upgrade', (res, socket, first) => {
        if (first.length > 0) socket.unshift(first);
        resolve({ status: res.statusCode ?? 101, headers: flatten(res.headers), socket });
      });
      req.once('response', (res) => {
        collect(res).then((body) => resolve({ status: res.statusCode ?? 0, headers: flatten(res.headers), body }), reject);
      });
      req.once('error', (error) => reject(this.#failure(request, error, false)));
      req.end(request.body);
    });
  }

  async close(): Promise<void> {
    this.#pool?.close();
    this.#plainAgent.destroy();
  }

  async #headers(request: TransportRequest): Promise<Record<string, string>> {
    const headers: Record<string, string> = { ...this.options.headers, ...request.headers };
    if (this.options.token && headers['authorization'] === undefined) headers['authorization'] = `Bearer ${await this.options.token()}`;
    return headers;
  }

  async #send(request: TransportRequest): Promise<Head> {
    // A component's one signal serves any number of requests at once; each takes its listener away when it ends.
    if (request.signal) setMaxListeners(0, request.signal);
    request.signal?.throwIfAborted();
    const headers = await this.#headers(request);
    const session = this.#pool ? await unlessAborted(this.#pool.session(), request.signal) : 'http/1.1';
    return session === 'http/1.1' ? this.#sendHttp1(request, headers) : this.#sendHttp2(session, request, headers);
  }

  #target({ path, query }: TransportRequest): string {
    return query ? `${this.#prefix}${path}?${query}` : this.#prefix + path;
  }

  #sendHttp2(session: ClientHttp2Session, request: TransportRequest, headers: Record<string, string>): Promise<Head> {
    return new Promise((resolve, reject) => {
      let stream: ClientHttp2Stream;
      try {
        stream = session.request(
          { ...headers, ':method': request.method, ':path': this.#target(request) },
          { endStream: request.body === undefined, ...(request.signal && { signal: request.signal }) },
        );
      } catch (error) {
        return reject(this.#failure(request, error as Error, false));
      }
      // Listed before anything can fail: reading starts only when the body is iterated.
      let answered = false;
      stream.on('error', (error: NodeJS.ErrnoException) => {
        const refused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
        if (!answered) reject(this.#failure(request, error, !refused));
      });
      stream.once('close', () => {
        if (!answered) reject(this.#failure(request, new Error('connection closed before an answer'), true));
      });
      stream.once('response', (h) => {
        answered = true;
        resolve({ status: h[':status'] ?? 0, headers: flatten(h), body: stream });
      });
      if (request.body !== undefined) stream.end(request.body);
      trackStream(session, stream);
      expectEnd(session, stream);
    });
  }

  #http1(request: TransportRequest, headers: Record<string, string>, upgrade: boolean): ClientRequest {
    const target = this.#target(request);
    const length: Record<string, string | number> = request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) };
    const options = {
      host: this.#url.hostname.replace(/^\[|\]$/g, ''),
      port: this.#url.port || (this.#pool ? 443 : 80),
      method: request.method,
      path: target,
      headers: { ...headers, ...length },
      ...(request.signal && { signal: request.signal }),
    };
    if (!this.#pool) return http.request({ ...options, agent: upgrade ? false : this.#plainAgent });
    // An agent's options have a path of their own, which must not win.
    return https.request({ ...(upgrade ? { ...this.#pool.agent.options, agent: false } : { agent: this.#pool.agent }), ...options } as https.RequestOptions);
  }

  #sendHttp1(request: TransportRequest, headers: Record<string, string>): Promise<Head> {
    return new Promise((resolve, reject) => {
      const req = this.#http1(request, headers, false);
      let connected = false;
      req.once('socket', (s) => {
        connected = !s.connecting;
        s.once('connect', () => {
          connected = true;
        });
      });
      req.on('error', (error) => reject(this.#failure(request, error, connected)));
      req.once('response', (res: IncomingMessage) => {
        resolve({ status: res.statusCode ?? 0, headers: flatten(res.headers), body: res });
      });
      req.end(request.body);
    });
  }

  #failure(request: TransportRequest, error: Error, sent: boolean): Error {
    if (request.signal?.aborted) return request.signal.reason as Error;
    if (error instanceof TransportError) return error;
    return new TransportError(`${request.method} ${this.#url.origin}${this.#target(request)}: ${error.message}`, sent, { cause: error });
  }
}

function flatten(headers: Record<string, string | string[] | number | undefined>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name.startsWith(':')) continue;
    out[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return out;
}

/** HTTP/2 streams whose end has not come; Node lets reading one of a lost connection end as if it were complete. */
const unfinished = new WeakSet<Readable>();

function expectEnd(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
  unfinished.add(stream);
  stream.once('end', () => {
    if (!stream.rstCode && !session.destroyed) unfinished.delete(stream);
  });
}

/** `length`: how many bytes came; with a content-length it settles the matter. */
function checkComplete({ headers, body }: Head, length?: number): void {
  const announced = headers['content-length'];
  if (length !== undefined && announced !== undefined && length === Number(announced)) return;
  if (unfinished.has(body)) throw new Error('connection lost before the end of the answer');
}

/** The connection is shared: who gives up does not take it from the others. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

async function collect(stream: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
