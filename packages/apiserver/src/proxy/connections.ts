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
  readonly #fresh = new Agent({ keepAlive: false });

  /** Makes a request by an agent; once more when its connection was stale. `attempt` rejects with what `requestError` makes of the request's error. */
  async use<T>(replayable: boolean, signal: AbortSignal, attempt: (agent: Agent) => Promise<T>): Promise<T> {
    if (!replayable) return attempt(this.#fresh);
    try {
      return await attempt(this.#kept);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      if (signal.aborted) throw error.cause;
      return attempt(this.#fresh);
    }
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

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

/** Tells apart that the kept connection a request was given had been closed by the other side. */
export function requestError({ reusedSocket }: { readonly reusedSocket: boolean }, error: NodeJS.ErrnoException): Error {
  const stale = reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
  return stale ? new StaleConnectionError(error.message, { cause: error }) : error;
}
