import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ComponentServerOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. Absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Prometheus text. */
  readonly metrics: () => string;
  /** Named checks: undefined when well, else why not. */
  readonly checks: Readonly<Record<string, () => string | undefined>>;
  /** Further paths; answers JSON. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
}

/** What every component serves about itself: `/healthz`, `/livez`, `/readyz` (`?verbose`), `/metrics`. */
export interface ComponentServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; rejects when the port is taken. */
export async function serveComponent(options: ComponentServerOptions): Promise<ComponentServer> {
  const answer = (request: IncomingMessage, response: ServerResponse) => respond(options, request, response);
  const server: Server = options.tls ? createHttpsServer({ cert: options.tls.cert, key: options.tls.key }, answer) : createHttpServer(answer);
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

function respond(options: ComponentServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://component');
  const send = (status: number, body: string, type = 'text/plain; charset=utf-8') => response.writeHead(status, { 'content-type': type }).end(body);
  if (request.method !== 'GET' && request.method !== 'HEAD') return void send(405, 'method not allowed');
  switch (pathname) {
    case '/metrics':
      return void send(200, options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    case '/healthz':
    case '/livez':
    case '/readyz': {
      const results = Object.entries(options.checks).map(([name, check]) => ({ name, problem: check() }));
      const bad = results.filter((r) => r.problem !== undefined);
      const lines = results.map((r) => (r.problem === undefined ? `[+]${r.name} ok` : `[-]${r.name} failed: ${r.problem}`)).join('\n');
      if (bad.length > 0) return void send(500, `${lines}\n${pathname.slice(1)} check failed\n`);
      return void send(200, searchParams.has('verbose') ? `${lines}\n${pathname.slice(1)} check passed\n` : 'ok');
    }
    default: {
      const page = options.pages?.[pathname];
      return void (page ? send(200, JSON.stringify(page()), 'application/json') : send(404, 'not found'));
    }
  }
}
