import type { IncomingHttpHeaders } from 'node:http';
import { Agent } from 'node:https';

/** As upstream's transport. */
const IDLE_TIMEOUT_MS = 90_000;
const MAX_IDLE = 25;
const REPLAYABLE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * TLS connections to one backend, kept for further requests. Whatever is presented or trusted belongs to what a connection is kept under, so
 * none made with another CA or certificate is used again.
 *
 * The other side may close a kept connection at the very moment it is used. A request that changes nothing and has no body is then made
 * again; any other never gets a kept connection, since nobody could say whether it was carried out.
 */
export class BackendConnections {
  readonly #kept = new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE, timeout: IDLE_TIMEOUT_MS, scheduling: 'lifo' });
  /** TLS sessions are resumed all the same. */
  readonly fresh = new Agent({ keepAlive: false });

  agent(replayable: boolean): Agent {
    return replayable ? this.#kept : this.fresh;
  }

  /** The backend is another one, or somewhere else: what waits for further requests is closed, what is in use goes on. */
  dropIdle(): void {
    for (const sockets of Object.values(this.#kept.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

/** Whether a request may be made a second time. */
export function isReplayable(method: string, headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length'];
  return REPLAYABLE.has(method) && headers['transfer-encoding'] === undefined && (length === undefined || length === '0');
}

/** Whether a request failed because the kept connection it was given had been closed by the other side. */
export function wasStale({ reusedSocket }: { readonly reusedSocket: boolean }, error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}
