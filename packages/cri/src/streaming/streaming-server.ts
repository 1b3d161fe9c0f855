import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CriClock, systemCriClock } from '../clock.js';
import { CriError } from '../rpc/status.js';
import type { AttachRequest, ExecRequest, PortForwardRequest } from '../generated/runtime/v1/api_pb.js';
import { acceptCommand } from './command-server.js';
import { servePortForward } from './port-forward-server.js';
import type { CommandOutcome, StreamSession } from './types.js';
import { rejectUpgrade, UpgradeError, type UpgradeRequest } from './upgrade.js';

/** What a runtime does for the streaming calls. */
export interface StreamingHandler {
  /** Run the command with the session's streams; resolves when it has ended. A rejection is reported to the client. */
  exec(request: ExecRequest, session: StreamSession): Promise<CommandOutcome>;
  attach(request: AttachRequest, session: StreamSession): Promise<CommandOutcome>;
  /** Connect to a port inside the pod. */
  portForward(podSandboxId: string, port: number): Promise<Duplex>;
}

export interface StreamingServerOptions {
  readonly handler: StreamingHandler;
  /** Default 127.0.0.1: the URLs are for the kubelet on this host, which proxies to them. */
  readonly address?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** How long a URL is good for, in milliseconds. Default one minute. */
  readonly tokenTtlMs?: number;
  /** A connection that carries nothing for so long is closed, in milliseconds; 0: never. Default four hours, upstream's. */
  readonly idleTimeoutMs?: number;
  readonly clock?: CriClock;
  readonly randomToken?: () => string;
}

type Pending =
  | { readonly kind: 'exec'; readonly request: ExecRequest }
  | { readonly kind: 'attach'; readonly request: AttachRequest }
  | { readonly kind: 'portforward'; readonly request: PortForwardRequest };

/** Upstream's cap on URLs handed out and not yet used. */
const MAX_PENDING = 1000;
const IDLE_TIMEOUT_MS = 4 * 60 * 60 * 1000;

/** The HTTP server behind the URLs that CRI's Exec, Attach and PortForward return. Every URL works once. */
export class StreamingServer {
  readonly #pending = new Map<string, { readonly what: Pending; readonly cancel: () => void }>();
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #clock: CriClock;
  #base = '';

  private constructor(private readonly options: StreamingServerOptions) {
    this.#clock = options.clock ?? systemCriClock;
    this.#server = createServer((request, response) => {
      // Not an upgrade: a proxy or a client that cannot stream.
      response.writeHead(this.#pending.has(tokenOf(request.url)) ? 400 : 404, { 'content-type': 'text/plain' });
      response.end('this URL takes SPDY/3.1 or WebSocket upgrades only\n');
    });
    this.#server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      request.socket.setTimeout(options.idleTimeoutMs ?? IDLE_TIMEOUT_MS, () => socket.destroy());
      this.#serve({ request, socket, head }).catch((error: unknown) => {
        if (error instanceof UpgradeError) rejectUpgrade(socket, error);
        else socket.destroy();
      });
    });
  }

  static async start(options: StreamingServerOptions): Promise<StreamingServer> {
    const server = new StreamingServer(options);
    const address = options.address ?? '127.0.0.1';
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(options.port ?? 0, address, resolve);
    });
    const bound = server.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the streaming server has no TCP address');
    server.#base = `http://${address.includes(':') ? `[${address}]` : address}:${bound.port}`;
    return server;
  }

  exec(request: ExecRequest): string {
    checkStreams(request);
    return this.#url({ kind: 'exec', request });
  }

  attach(request: AttachRequest): string {
    checkStreams(request);
    return this.#url({ kind: 'attach', request });
  }

  portForward(request: PortForwardRequest): string {
    return this.#url({ kind: 'portforward', request });
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#pending.values()) cancel();
    this.#pending.clear();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #url(what: Pending): string {
    if (this.#pending.size >= MAX_PENDING) throw new CriError('resourceExhausted', 'maximum number of in-flight streaming requests exceeded');
    const token = this.options.randomToken?.() ?? randomBytes(16).toString('base64url');
    const cancel = this.#clock.setTimeout(() => this.#pending.delete(token), this.options.tokenTtlMs ?? 60_000);
    this.#pending.set(token, { what, cancel });
    return `${this.#base}/${what.kind}/${token}`;
  }

  async #serve(upgrade: UpgradeRequest): Promise<void> {
    const token = tokenOf(upgrade.request.url);
    const pending = this.#pending.get(token);
    if (!pending) throw new UpgradeError(404, 'unknown or used streaming URL');
    this.#pending.delete(token);
    pending.cancel();
    const { handler } = this.options;
    const { what } = pending;
    if (what.kind === 'portforward') {
      const { podSandboxId, port: ports } = what.request;
      return servePortForward(upgrade, { ports, dial: (port) => handler.portForward(podSandboxId, port) }, this.#clock);
    }
    const { stdin, stdout, stderr, tty } = what.request;
    const session = await acceptCommand(upgrade, { stdin, stdout, stderr, tty }, this.#clock);
    const outcome = await (what.kind === 'exec' ? handler.exec(what.request, session) : handler.attach(what.request, session)).catch(
      (error: unknown): CommandOutcome => ({ type: 'error', message: error instanceof Error ? error.message : String(error) }),
    );
    await session.finish(outcome);
  }
}

const tokenOf = (url: string | undefined) => (url ?? '').split('?')[0]?.split('/')[2] ?? '';

function checkStreams(request: { tty: boolean; stdin: boolean; stdout: boolean; stderr: boolean }): void {
  if (request.tty && request.stderr) throw new CriError('invalidArgument', 'tty and stderr cannot both be true');
  if (!request.stdin && !request.stdout && !request.stderr) throw new CriError('invalidArgument', 'one of stdin, stdout, or stderr must be set');
}
