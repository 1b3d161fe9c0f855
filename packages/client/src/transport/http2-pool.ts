import { Agent } from 'node:https';
import http2, { type ClientHttp2Session } from 'node:http2';
import { isIP } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { CancelTimer, Clock } from '@coxswain/sdk';
import { TransportError } from './transport.js';

export interface TlsOptions {
  /** PEM; absent: the system's. */
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** Do not check the server's certificate. */
  readonly insecure?: boolean | undefined;
  readonly serverName?: string | undefined;
}

const PING_AFTER_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
/** Upstream's dial timeout. */
const DIAL_TIMEOUT_MS = 30_000;
/** Large enough that a list of thousands of objects is not paced by round trips. */
const WINDOW = 16 * 1024 * 1024;

/**
 * Connections to one HTTPS origin: HTTP/2 sessions while they have room, or a keep-alive HTTP/1.1 agent when the server does not
 * speak HTTP/2. Silent sessions are pinged, so that a dead peer ends its streams.
 */
export class Http2Pool {
  readonly #sessions = new Set<ClientHttp2Session>();
  readonly #pings = new Map<ClientHttp2Session, CancelTimer>();
  #connecting: Promise<ClientHttp2Session | 'http/1.1'> | undefined;
  #http1 = false;
  #closed = false;
  readonly agent: Agent;

  constructor(
    private readonly url: URL,
    private readonly tlsOptions: TlsOptions,
    private readonly clock: Clock,
  ) {
    this.agent = new Agent({ keepAlive: true, maxCachedSessions: 16, ...this.#secure(['http/1.1']) });
  }

  #secure(ALPNProtocols: string[]) {
    const { ca, cert, key, insecure, serverName } = this.tlsOptions;
    const host = this.url.hostname.replace(/^\[|\]$/g, '');
    return {
      ALPNProtocols,
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      rejectUnauthorized: !insecure,
      ...(serverName ? { servername: serverName } : isIP(host) ? {} : { servername: host }),
    };
  }

  /** A session with room for another stream, or word that the server speaks HTTP/1.1. */
  async session(): Promise<ClientHttp2Session | 'http/1.1'> {
    if (this.#closed) throw new TransportError(`connection to ${this.url.origin} is closed`, false);
    if (this.#http1) return 'http/1.1';
    for (const s of this.#sessions) {
      const limit = s.remoteSettings?.maxConcurrentStreams ?? 100;
      if (!s.destroyed && !s.closed && streamsOf(s) < limit) return s;
    }
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<ClientHttp2Session | 'http/1.1'> {
    const socket = await this.#dial();
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      this.#http1 = true;
      return 'http/1.1';
    }
    const session = http2.connect(this.url.origin, { createConnection: () => socket, settings: { initialWindowSize: WINDOW, enablePush: false } });
    session.setMaxListeners(0);
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(WINDOW);
    });
    // Errors reach the streams; without a listener they would end the process.
    session.on('error', () => {});
    session.once('goaway', () => this.#sessions.delete(session));
    session.once('close', () => {
      this.#sessions.delete(session);
      this.#pings.get(session)?.();
      this.#pings.delete(session);
    });
    this.#sessions.add(session);
    this.#keepAlive(session, socket, 0);
    return session;
  }

  #dial(): Promise<TLSSocket> {
    const port = Number(this.url.port || 443);
    const host = this.url.hostname.replace(/^\[|\]$/g, '');
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ host, port, ...this.#secure(['h2', 'http/1.1']) });
      const cancel = this.clock.setTimeout(() => socket.destroy(new Error('i/o timeout')), DIAL_TIMEOUT_MS);
      const fail = (error: Error) => {
        cancel();
        reject(new TransportError(`connect to ${this.url.host}: ${error.message}`, false, { cause: error }));
      };
      socket.once('error', fail);
      socket.once('secureConnect', () => {
        cancel();
        socket.off('error', fail);
        socket.setNoDelay(true);
        resolve(socket);
      });
    });
  }

  /** Ping only sessions on which nothing was read since the last look. */
  #keepAlive(session: ClientHttp2Session, socket: TLSSocket, readBefore: number): void {
    const again = this.clock.setTimeout(() => {
      if (session.destroyed) return;
      const { bytesRead } = socket;
      if (bytesRead !== readBefore) return this.#keepAlive(session, socket, bytesRead);
      const giveUp = this.clock.setTimeout(() => session.destroy(new Error('http2: client connection lost')), PING_TIMEOUT_MS);
      session.ping((error) => {
        giveUp();
        if (!error && !session.destroyed) this.#keepAlive(session, socket, socket.bytesRead);
      });
    }, PING_AFTER_MS);
    this.#pings.set(session, again);
  }

  close(): void {
    this.#closed = true;
    for (const s of this.#sessions) s.destroy();
    for (const cancel of this.#pings.values()) cancel();
    this.agent.destroy();
  }
}

const open = new WeakMap<ClientHttp2Session, number>();
const streamsOf = (s: ClientHttp2Session) => open.get(s) ?? 0;

/** Counts a stream as long as it is open. */
export function trackStream(session: ClientHttp2Session, stream: { once(event: 'close', fn: () => void): unknown }): void {
  open.set(session, streamsOf(session) + 1);
  stream.once('close', () => open.set(session, streamsOf(session) - 1));
}
