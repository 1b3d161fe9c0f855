import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { HealthPaths } from './health.js';
import { PROMETHEUS_TEXT } from './metrics.js';
import { profileAnswer } from './profiling.js';
import { type ZPages, zPageAnswer } from './z-pages.js';

/** Why a request is not answered. */
export interface Denial {
  readonly status: 401 | 403;
  readonly message: string;
}

/** Who may see what, and over what. */
export interface ComponentAccess {
  /** PEM, and what else the listener's TLS is told. Absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } & Pick<TlsOptions, 'minVersion' | 'ciphers'>;
  /** Asked before every answer; undefined: go ahead. Absent: anybody may see everything. With TLS, client certificates are asked for. */
  readonly authorize?: (request: IncomingMessage) => Promise<Denial | undefined>;
  /** Serve profiles of this process below `/debug/pprof/`, to whom `authorize` lets see them. Default false. */
  readonly profiling?: boolean;
  /** Serve `/statusz`, and `/flagz` when flags are given, to whom `authorize` lets see them. */
  readonly zPages?: ZPages;
}

/** Where a component serves what it says about itself, by upstream's flag names. */
export interface ComponentServing extends ComponentAccess {
  readonly bindAddress: string;
  readonly securePort: number;
}

export interface ComponentServerOptions extends ComponentAccess {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** Prometheus text. Absent: no `/metrics`. */
  readonly metrics?: () => string;
  /** Named checks: undefined when well, else why not. None: `ping`. */
  readonly checks: Readonly<Record<string, () => string | undefined>>;
  /** Further paths; answers JSON. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
  /** Further paths; answers plain text. */
  readonly texts?: Readonly<Record<string, () => string>>;
}

/** What every component serves about itself: `/healthz`, `/livez`, `/readyz` (`?verbose`), `/metrics`, `/metrics/slis`. */
export interface ComponentServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; rejects when the port is taken. */
export async function serveComponent(options: ComponentServerOptions): Promise<ComponentServer> {
  const { authorize, tls } = options;
  const checks = Object.entries(options.checks).map(([name, check]) => ({ name, check }));
  const all = checks.length > 0 ? checks : [{ name: 'ping', check: () => undefined }];
  const health = new HealthPaths({ healthz: all, livez: all, readyz: all });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (!authorize) return respond(options, health, request, response);
    void authorize(request).then(
      (denial) => (denial ? refuse(denial, response) : respond(options, health, request, response)),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`cannot ask whether that is allowed: ${(error as Error).message}`),
    );
  };
  // Who shows a certificate is judged by `authorize`: any is taken by the handshake.
  const asked = authorize ? { requestCert: true, rejectUnauthorized: false } : {};
  const server: Server = tls ? createHttpsServer({ ...tls, ...asked }, answer) : createHttpServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse({ status, message }: Denial, response: ServerResponse): void {
  const reason = status === 401 ? 'Unauthorized' : 'Forbidden';
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function respond(options: ComponentServerOptions, health: HealthPaths, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://component');
  const send = (status: number, body: string, type = 'text/plain; charset=utf-8') => response.writeHead(status, { 'content-type': type }).end(body);
  if (request.method !== 'GET' && request.method !== 'HEAD') return void send(405, 'method not allowed');
  switch (pathname) {
    case '/metrics':
      return void (options.metrics ? send(200, options.metrics(), PROMETHEUS_TEXT) : send(404, 'not found'));
    case '/metrics/slis':
      return void send(200, health.metrics(), PROMETHEUS_TEXT);
    default: {
      const answer = health.answer(pathname, searchParams);
      if (answer) return void answer.then(({ status, body }) => send(status, body));
      if (options.profiling && pathname.startsWith('/debug/pprof')) return void profile(request, response);
      const z = options.zPages && zPageAnswer(options.zPages, pathname, request.headers.accept, pathsOf(options));
      if (z) return void response.writeHead(z.status, z.headers).end(z.body);
      const [page, text] = [options.pages?.[pathname], options.texts?.[pathname]];
      if (text) return void send(200, text());
      return void (page ? send(200, JSON.stringify(page()), 'application/json') : send(404, 'not found'));
    }
  }
}

function pathsOf({ metrics, profiling, pages = {}, texts = {}, zPages }: ComponentServerOptions): string[] {
  return [
    ...['/healthz', '/livez', '/metrics/slis', '/readyz', '/statusz'],
    ...(metrics ? ['/metrics'] : []),
    ...(profiling ? ['/debug/pprof'] : []),
    ...(zPages?.flags ? ['/flagz'] : []),
    ...Object.keys(pages),
    ...Object.keys(texts),
  ];
}

/** The answer to a request for a profile, as it comes; ends when the client goes. */
export async function profile(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://component');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const answer = await profileAnswer(pathname, searchParams, gone.signal);
    if (!answer) return void response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('not found');
    const { status, contentType, body, file } = answer;
    response.writeHead(status, { 'content-type': contentType, ...(file && { 'content-disposition': `attachment; filename="${file}"` }) });
    if (typeof body === 'string') response.end(body);
    else pipeline(body, response, () => {});
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`${(error as Error).message}\n`);
  }
}
