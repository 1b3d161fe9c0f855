import type { UserInfo } from '@coxswain/sdk';
import type { Registry } from 'prom-client';
import { CounterTallies } from './tallies.js';

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
  readonly #requests: CounterTallies;
  readonly #events: CounterTallies;
  readonly #clients = new Map<string, ClientCount>();
  readonly #programs = new Map<string, string>();
  #others: ClientCount | undefined;

  constructor(registry: Registry) {
    this.#requests = new CounterTallies('coxswain_apiserver_client_requests_total', 'Requests by calling program.', registry);
    this.#events = new CounterTallies('coxswain_apiserver_client_watch_events_total', 'Watch events sent, by calling program.', registry);
  }

  of(userAgent: string, user: UserInfo): ClientCount {
    const client = this.#programOf(userAgent);
    const node = user.name.startsWith(NODE_USER) ? user.name.slice(NODE_USER.length) : '';
    const key = `${client}\n${node}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const full = this.#clients.size >= MAX_CLIENTS;
    if (full && this.#others) return this.#others;
    const labels = full ? { client: 'other', node: '' } : { client, node };
    const [requests, events] = [this.#requests.of(labels), this.#events.of(labels)];
    const count: ClientCount = {
      request: () => {
        requests.value++;
      },
      events: (n) => {
        events.value += n;
      },
    };
    if (full) this.#others = count;
    else this.#clients.set(key, count);
    return count;
  }

  /** `kubelet/v1.36.0 (linux/amd64) …` → `kubelet`. */
  #programOf(userAgent: string): string {
    let program = this.#programs.get(userAgent);
    if (program === undefined) {
      program = /^[\w.-]{1,64}/.exec(userAgent)?.[0] ?? 'unknown';
      if (this.#programs.size < MAX_CLIENTS) this.#programs.set(userAgent, program);
    }
    return program;
  }
}
