import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock, Logger } from '@coxswain/sdk';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface HealthCheck {
  /** Over HTTPS; 200 is healthy. */
  readonly path: string;
  /** PEM of the authority that must have signed a backend's certificate. Absent: any is taken. */
  readonly ca?: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many failed looks in a row make a backend unhealthy; one good look makes it healthy. */
  readonly failures: number;
}

/** One server behind the balancer: how it is, and who is connected to it. */
export class Backend {
  readonly connections = new Set<Socket>();
  readonly name: string;
  #healthy = false;
  #failed = 0;
  readonly #agent: Agent;

  constructor(
    readonly endpoint: Endpoint,
    private readonly check: HealthCheck,
  ) {
    this.name = `${endpoint.address}:${endpoint.port}`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ...(check.ca === undefined ? { rejectUnauthorized: false } : { ca: check.ca }) });
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  /** Look once. Returns what changed. */
  async look(): Promise<'up' | 'down' | undefined> {
    const answered = await this.#answers();
    const before = this.#healthy;
    if (answered) {
      this.#failed = 0;
      this.#healthy = true;
    } else if (++this.#failed >= this.check.failures) this.#healthy = false;
    if (before === this.#healthy) return undefined;
    return this.#healthy ? 'up' : 'down';
  }

  #answers(): Promise<boolean> {
    const { address, port } = this.endpoint;
    const { path, timeoutMs } = this.check;
    return new Promise((resolve) => {
      const asked = request({ host: address, port, path, agent: this.#agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode === 200));
        response.once('error', () => resolve(false));
      });
      asked.once('error', () => resolve(false));
      asked.end();
    });
  }

  disconnectAll(): void {
    for (const socket of this.connections) socket.destroy();
  }

  close(): void {
    this.disconnectAll();
    this.#agent.destroy();
  }
}

/** Looks at all backends again and again until it is aborted; clients of one that is down are sent to the others. */
export async function watchBackends(backends: readonly Backend[], check: HealthCheck, clock: Clock, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const changes = await Promise.all(backends.map((backend) => backend.look()));
    for (const [i, change] of changes.entries()) {
      const backend = backends[i];
      if (change === undefined || !backend) continue;
      logger.info(change === 'up' ? 'a backend is healthy' : 'a backend is not healthy', { backend: backend.name });
      // While nobody else could serve them, clients are no better off elsewhere.
      if (change === 'down' && backends.some(({ healthy }) => healthy)) backend.disconnectAll();
    }
    await clock.sleep(check.intervalMs, signal).catch(() => {});
  }
}
