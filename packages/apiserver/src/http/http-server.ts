import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createSecureServer } from 'node:http2';
import type { Http2SecureServer, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@coxswain/sdk';
import type { ApiRequest, ApiResponse } from '../request/api-request.js';
import { respondHttp1, respondUpgrade } from './respond-http1.js';
import { respondHttp2 } from './respond-http2.js';
import { Http1Request } from './http1-request.js';
import { endWhenIdle } from './idle-sessions.js';
import { Http2Request } from './http2-request.js';
import { secureContextOptions, SniContexts } from './serving-certificates.js';
import type { ServingCertificates, TlsLimits } from './serving-certificates.js';

export interface HttpServerOptions {
  readonly certificates: ServingCertificates;
  readonly tls?: TlsLimits;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of one HTTP/2 connection. Default 10000. */
  readonly maxStreams?: number;
  /** Whether an HTTP/2 connection is to end after the request at hand, so that its client connects anew. Default: never. */
  readonly endsConnection?: () => boolean;
  handle(request: ApiRequest): Promise<ApiResponse> | ApiResponse;
}

/** HTTPS with HTTP/1.1, HTTP/2 and upgrades on one port. HTTP/2 streams are served without the compatibility layer. */
export class HttpServer {
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Duplex>();
  /** HTTP/1.1 connections with an answer under way. */
  readonly #busy = new Set<Duplex>();
  #closing = false;
  #sni: SniContexts;

  constructor(readonly options: HttpServerOptions) {
    this.#sni = new SniContexts(options.certificates, options.tls);
    const server = createSecureServer({
      ...secureContextOptions(options.certificates, options.tls),
      allowHTTP1: true,
      ...(options.certificates.clientCA ? { requestCert: true, rejectUnauthorized: false } : {}),
      SNICallback: (name, callback) => callback(null, this.#sni.find(name)),
      // 10,000 watches of one client share a connection.
      settings: { maxConcurrentStreams: options.maxStreams ?? 10_000, initialWindowSize: 1024 * 1024 },
      maxSessionMemory: 512,
    });
    server.on('request', ((request: IncomingMessage, response: ServerResponse) => this.#onHttp1(request, response)) as never);
    // Registering 'request' made Node serve HTTP/2 through its compatibility layer as well: streams are ours.
    server.removeAllListeners('stream');
    server.on('stream', (stream, headers) => this.#onStream(stream, headers));
    server.on('upgrade', ((request: IncomingMessage, socket: Duplex, head: Buffer) => this.#onUpgrade(request, socket, head)) as never);
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => {});
      endWhenIdle(session, options.clock);
    });
    server.on('secureConnection', (socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('clientError', ((_error: Error, socket: Duplex) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    }) as never);
    const timeouts = server as unknown as { headersTimeout: number; requestTimeout: number; keepAliveTimeout: number };
    timeouts.headersTimeout = 32_000;
    timeouts.requestTimeout = 60_000;
    timeouts.keepAliveTimeout = 180_000;
    this.#server = server;
  }

  /** Known once listening. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port: this.options.port, host: this.options.host, backlog: 1024 }, () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', (err) => this.options.logger.error('the listener failed', { err }));
        resolve();
      });
    });
  }

  /** Use new certificates for connections made from now on. */
  reload(certificates: ServingCertificates): void {
    // First what may refuse the new ones.
    const sni = new SniContexts(certificates, this.options.tls);
    this.#server.setSecureContext(secureContextOptions(certificates, this.options.tls));
    this.#sni = sni;
  }

  /** Stop accepting; let answers finish until the deadline, then cut. */
  async close(deadline: AbortSignal): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing = true;
    for (const session of this.#sessions) session.close();
    // Kept-alive connections without a request would keep us until the deadline.
    for (const socket of this.#sockets) if (!this.#busy.has(socket) && (socket as TLSSocket).alpnProtocol !== 'h2') socket.destroy();
    const cut = () => {
      for (const session of this.#sessions) session.destroy();
      for (const socket of this.#sockets) socket.destroy();
    };
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await closed;
    deadline.removeEventListener('abort', cut);
  }

  #onHttp1(message: IncomingMessage, response: ServerResponse): void {
    const request = new Http1Request(message, response);
    const { socket } = message;
    this.#busy.add(socket);
    response.once('close', () => {
      this.#busy.delete(socket);
      if (this.#closing) socket.destroySoon();
    });
    const answer = this.options.handle(request);
    if (answer instanceof Promise)
      answer.then(
        (value) => respondHttp1(value, request, this.options.clock),
        (error) => this.#broken(error, message.socket),
      );
    else respondHttp1(answer, request, this.options.clock);
  }

  #onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const request = new Http1Request(message, undefined, { socket, head });
    socket.on('error', () => socket.destroy());
    Promise.resolve(this.options.handle(request)).then(
      (value) => respondUpgrade(value, request, socket, this.options.clock),
      (error) => this.#broken(error, socket),
    );
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {});
    const request = new Http2Request(stream, headers);
    if (headers[constants.HTTP2_HEADER_METHOD] === 'CONNECT') {
      stream.respond({ ':status': 405 }, { endStream: true });
      return;
    }
    // Closing lets the streams that are open finish, this one among them.
    if (this.options.endsConnection?.()) stream.session?.close();
    const answer = this.options.handle(request);
    if (answer instanceof Promise)
      answer.then(
        (value) => respondHttp2(value, request, this.options.clock),
        (error) => this.#broken(error, stream),
      );
    else respondHttp2(answer, request, this.options.clock);
  }

  /** `handle` never rejects; if it does all the same, the connection is the only thing left to give up. */
  #broken(error: unknown, stream: Duplex): void {
    this.options.logger.error('a request was not answered', { err: error });
    stream.destroy();
  }
}
