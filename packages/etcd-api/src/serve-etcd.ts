import { chmod, rm } from 'node:fs/promises';
import { prepareSocket } from '@coxswain/cri/socket';
import type { StateStore } from '@coxswain/sdk';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { addEtcdServices, serverOptions } from './etcd-services.js';
import { serviceContext } from './service-context.js';

export interface ServeEtcdOptions {
  /** Not closed by the server. */
  readonly store: StateStore;
  /**
   * `unix:///run/x/etcd.sock` (made with mode 0600), or `http://127.0.0.1:2379`, port 0 for a free one. Anything but a loopback
   * address must be `https://` with `clientCa`: whoever can reach it can read and write everything.
   */
  readonly endpoint: string;
  /** PEM texts. `clientCa`: only clients with a certificate signed by it are served. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Stops the server. */
  readonly signal?: AbortSignal;
}

export interface EtcdServer {
  /** Where it listens, the real port in it. */
  readonly endpoint: string;
  /** Ends streams, waits for calls in flight (2 s at most), removes the socket. Idempotent. */
  close(): Promise<void>;
}

const GRACE_MS = 2000;

/** Answer etcd v3's gRPC (KV, Watch, Lease, Maintenance, and a Cluster of one) from any `StateStore`. Throws when it cannot listen. */
export async function serveEtcd(options: ServeEtcdOptions): Promise<EtcdServer> {
  const { store, tls } = options;
  const where = await prepare(options);
  const server = new Server(serverOptions);
  const stopping = new AbortController();
  let endpoint = options.endpoint;
  addEtcdServices(
    server,
    serviceContext(store, () => endpoint),
    stopping.signal,
  );
  const security = tls
    ? ServerCredentials.createSsl(
        tls.clientCa === undefined ? null : Buffer.from(tls.clientCa),
        [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }],
        tls.clientCa !== undefined,
      )
    : ServerCredentials.createInsecure();
  // The socket must never be open to others, not even between bind and chmod.
  const umask = where.socket === undefined ? undefined : process.umask(0o177);
  try {
    const port = await new Promise<number>((resolve, reject) => server.bindAsync(where.address, security, (error, p) => (error ? reject(error) : resolve(p))));
    if (where.url) {
      where.url.port = String(port);
      endpoint = where.url.origin;
    }
  } finally {
    if (umask !== undefined) process.umask(umask);
  }
  if (where.socket !== undefined) await chmod(where.socket, 0o600);

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      stopping.abort();
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), GRACE_MS);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
      if (where.socket !== undefined) await rm(where.socket, { force: true });
    })();
    return closed;
  };
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  return { endpoint, close };
}

interface Where {
  readonly address: string;
  readonly socket?: string;
  readonly url?: URL;
}

async function prepare({ endpoint, tls }: ServeEtcdOptions): Promise<Where> {
  if (endpoint.startsWith('unix://')) {
    const socket = endpoint.slice('unix://'.length);
    await prepareSocket(socket);
    return { address: `unix://${socket}`, socket };
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(`etcd endpoint ${JSON.stringify(endpoint)} is neither unix:///path nor http(s)://address:port`);
  }
  if ((url.protocol === 'https:') !== (tls !== undefined)) throw new TypeError(`etcd endpoint ${endpoint}: https needs a certificate, http takes none`);
  const loopback = /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (!loopback && tls?.clientCa === undefined) {
    throw new TypeError(`etcd endpoint ${endpoint} is open to others: it needs https and an authority for client certificates`);
  }
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  return { address: `${url.hostname}:${port}`, url };
}
