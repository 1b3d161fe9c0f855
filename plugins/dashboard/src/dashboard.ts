import type { Addon, Clock, Logger, Random } from '@coxswain/sdk';
import { ComponentStateCell } from '@coxswain/sdk';
import type { ComponentEndpoint } from './components/component-metrics.js';
import { DashboardServer } from './server/dashboard-server.js';
import { findWebRoot } from './server/web-root.js';

export interface DashboardOptions {
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** PEM of the authority to check it with; read at the start. */
  readonly ca: () => string;
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM; absent: a certificate of its own, kept in `stateDir`. */
  readonly tls?: () => { readonly cert: string; readonly key: string };
  /** Folder of the built front end. Default: the one shipped with this package. */
  readonly webRoot?: string;
  readonly clusterName: string;
  /** A session ends after so long, whatever happens; unused it ends after an hour. */
  readonly sessionHours: number;
  readonly components: readonly ComponentEndpoint[];
  readonly hostIP: string;
  readonly nodeName: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Serves the front end, and the API to it as the user who signed in. */
export class Dashboard implements Addon {
  readonly name = 'dashboard';
  readonly #cell = new ComponentStateCell();
  readonly state$: Addon['state$'] = this.#cell.state$;
  #server: DashboardServer | undefined;

  constructor(readonly options: DashboardOptions) {}

  get endpoints(): Readonly<Record<string, string>> {
    const { hostIP, address } = this.options;
    const host = address === '0.0.0.0' || address === '::' ? hostIP : address;
    return this.#server ? { dashboard: `https://${host}:${this.#server.port}/` } : {};
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  async start(_signal: AbortSignal): Promise<void> {
    if (this.#server) return;
    this.#cell.set('starting');
    try {
      const { options } = this;
      const tls = options.tls?.() ?? (await (await import('./server/own-certificate.js')).ownCertificate(options));
      const server = new DashboardServer({ ...options, tls, ca: options.ca(), webRoot: options.webRoot ?? findWebRoot() });
      await server.listen();
      this.#server = server;
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#cell.set('ready');
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    this.#cell.set('stopping');
    await server.close();
    this.#cell.set('stopped');
  }
}
