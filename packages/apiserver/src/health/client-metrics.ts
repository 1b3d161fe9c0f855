import type { UserInfo } from '@coxswain/sdk';
import { Counter, type Registry } from 'prom-client';

/** What is counted for one client; looked up once a request. */
export interface ClientCount {
  request(): void;
  events(count: number): void;
}

/** Anybody can call themselves anything: beyond so many names the rest is counted together. */
const MAX_CLIENTS = 200;
const NODE_USER = 'system:node:';

/**
 * Who calls, by the program's name in its user agent and, for kubelets, by node. Upstream has no such metric, so it has a name of
 * ours; with it one can see which component talks to the API server, and how much it is told by watches.
 */
export class ClientMetrics {
  readonly #requests: Counter<'client' | 'node'>;
  readonly #events: Counter<'client' | 'node'>;
  readonly #clients = new Map<string, ClientCount>();

  constructor(registry: Registry) {
    const labelNames = ['client', 'node'] as const;
    this.#requests = new Counter({ name: 'coxswain_apiserver_client_requests_total', help: 'Requests by calling program.', labelNames, registers: [registry] });
    this.#events = new Counter({
      name: 'coxswain_apiserver_client_watch_events_total',
      help: 'Watch events sent, by calling program.',
      labelNames,
      registers: [registry],
    });
  }

  of(userAgent: string, user: UserInfo): ClientCount {
    const client = programOf(userAgent);
    const node = user.name.startsWith(NODE_USER) ? user.name.slice(NODE_USER.length) : '';
    const key = `${client}\n${node}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const full = this.#clients.size >= MAX_CLIENTS;
    const labels = full ? { client: 'other', node: '' } : { client, node };
    const [requests, events] = [this.#requests.labels(labels), this.#events.labels(labels)];
    const count: ClientCount = { request: () => requests.inc(), events: (n) => events.inc(n) };
    if (!full) this.#clients.set(key, count);
    return count;
  }
}

/** `kubelet/v1.36.0 (linux/amd64) …` → `kubelet`. */
function programOf(userAgent: string): string {
  return /^[\w.-]{1,64}/.exec(userAgent)?.[0] ?? 'unknown';
}
