import { HttpsTransport } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ComponentEndpoint, ComponentMetrics } from '../components/component-metrics.js';
import { failure, proxyRequest } from '../proxy/api-proxy.js';
import { proxyUpgrade, refuseUpgrade } from '../proxy/api-upgrade.js';
import { credentialsOf, parseSignIn } from '../session/credentials.js';
import { endedCookie, sessionCookie, sessionIdOf } from '../session/session-cookie.js';
import { sameSecret, type Session, SessionStore } from '../session/session-store.js';
import { whoAmI } from '../session/who-am-i.js';
import { securityHeaders } from './security-headers.js';
import { serveStatic } from './static-files.js';
import { asWebResponse, readBody, sendJson, WebError, type WebRequest, type WebResponse } from './web-exchange.js';

export interface DashboardServerOptions {
  readonly server: string;
  readonly ca: string;
  readonly address: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly webRoot: string;
  readonly clusterName: string;
  readonly sessionHours: number;
  readonly components: readonly ComponentEndpoint[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const API_PREFIX = '/k8s';
const MAX_SIGN_IN = 1024 * 1024;
const CSRF_HEADER = 'x-coxswain-csrf';

/** HTTPS (HTTP/2, so that many watches share a connection; HTTP/1.1 for WebSockets). */
export class DashboardServer {
  readonly #server: Http2SecureServer;
  readonly #sessions: SessionStore;
  readonly #components: ComponentMetrics;
  readonly #open = new Set<Socket | ServerHttp2Session>();

  constructor(readonly options: DashboardServerOptions) {
    this.#sessions = new SessionStore(options.clock, options.sessionHours);
    this.#components = new ComponentMetrics(options.components, () => options.clock.now());
    this.#server = createSecureServer({ ...options.tls, allowHTTP1: true, minVersion: 'TLSv1.2' });
    this.#server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => void this.#request(request, asWebResponse(response)));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex) => void this.#upgrade(request, socket));
    this.#server.on('connection', (socket: Socket) => this.#track(socket));
    // A browser that leaves in the middle of something is no failure of ours.
    this.#server.on('sessionError', () => {});
    this.#server.on('clientError', (_: Error, socket: Duplex) => socket.destroy());
    this.#server.on('tlsClientError', () => {});
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.options.port;
  }

  listen(): Promise<void> {
    const { port, address } = this.options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#sessions.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const each of this.#open) each.destroy();
    await closed;
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  async #request(request: WebRequest, response: WebResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (error instanceof WebError) return sendJson(response, error.status, failure(error.status, '', error.message));
      this.options.logger.error('a request failed', { path: request.url, err: error });
      sendJson(response, 500, failure(500, 'InternalError', 'the dashboard failed to answer; its log says why'));
    }
  }

  async #route(request: WebRequest, response: WebResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '/', 'https://dashboard');
    if (pathname === '/healthz') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    if (pathname === '/session') return this.#session(request, response);
    if (pathname.startsWith(`${API_PREFIX}/`)) {
      const session = this.#required(request);
      return proxyRequest(session, request, response, pathname.slice(API_PREFIX.length), search.slice(1));
    }
    if (pathname === '/components' || pathname.startsWith('/components/')) return this.#components.answer(this.#required(request), pathname, response);
    return serveStatic(this.options.webRoot, request, response, pathname);
  }

  /** The session of a request that may act: same site, and with the proof that the page was ours when something changes. */
  #required(request: WebRequest): Session {
    this.#sameOrigin(request);
    const session = this.#sessions.use(sessionIdOf(request, this.port) ?? '');
    if (!session) throw new WebError(401, 'sign in first');
    if (request.method !== 'GET' && request.method !== 'HEAD' && !sameSecret(String(request.headers[CSRF_HEADER] ?? ''), session.csrf)) {
      throw new WebError(403, `the header ${CSRF_HEADER} is missing or wrong`);
    }
    return session;
  }

  #sameOrigin(request: WebRequest): void {
    const site = request.headers['sec-fetch-site'];
    const { origin } = request.headers;
    const host = request.headers[':authority'] ?? request.headers.host;
    if ((site !== undefined && site !== 'same-origin' && site !== 'none') || (origin !== undefined && origin !== `https://${host}`)) {
      throw new WebError(403, 'requests of other sites are refused');
    }
  }

  async #session(request: WebRequest, response: WebResponse): Promise<void> {
    switch (request.method) {
      case 'GET': {
        const session = this.#sessions.use(sessionIdOf(request, this.port) ?? '');
        return sendJson(response, 200, this.#view(session));
      }
      case 'POST': {
        this.#sameOrigin(request);
        // A form of another site cannot send this type without being asked first.
        if (!String(request.headers['content-type'] ?? '').startsWith('application/json')) throw new WebError(415, 'send application/json');
        const session = await this.#signIn(await readBody(request, MAX_SIGN_IN));
        return sendJson(response, 200, this.#view(session), { 'set-cookie': sessionCookie(this.port, session.id) });
      }
      case 'DELETE':
        this.#sessions.remove(this.#required(request).id);
        return sendJson(response, 200, this.#view(undefined), { 'set-cookie': endedCookie(this.port) });
      default:
        throw new WebError(405, 'use GET, POST or DELETE');
    }
  }

  #view(session: Session | undefined): object {
    const { clusterName, components } = this.options;
    if (!session) return { user: null };
    return { user: session.user, csrf: session.csrf, endsAt: session.endsAt, clusterName, components: components.map(({ name }) => name) };
  }

  async #signIn(body: Buffer): Promise<Session> {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      throw new WebError(400, 'the body is not JSON');
    }
    const { server, ca, clock } = this.options;
    const transport = new HttpsTransport({ server, ca, clock, ...credentialsOf(parseSignIn(parsed)) });
    try {
      return this.#sessions.create(await whoAmI(transport), transport);
    } catch (error) {
      await transport.close();
      throw error;
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { pathname, search } = new URL(request.url ?? '/', 'https://dashboard');
      // Browsers send the cookie with a WebSocket of any site, and always say of which.
      if (request.headers.origin === undefined) throw new WebError(403, 'a WebSocket must say its origin');
      const session = this.#required(request);
      if (!pathname.startsWith(`${API_PREFIX}/`)) throw new WebError(404, 'there is nothing to connect to');
      await proxyUpgrade(session, request, socket, pathname.slice(API_PREFIX.length), search.slice(1));
    } catch (error) {
      refuseUpgrade(socket, error instanceof WebError ? error.status : 502, (error as Error).message);
    }
  }
}
