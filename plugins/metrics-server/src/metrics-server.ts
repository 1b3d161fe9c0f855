import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import {
  KUBERNETES_VERSION,
  type ApiServerRuntime,
  type Clock,
  type ComponentState,
  type CustomApiServer,
  type Logger,
  type ServeApiOptions,
} from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import { metricsApi } from './metrics-api.js';
import { Scraper } from './scraper.js';
import { UsageStore } from './usage-store.js';

export interface MetricsServerOptions {
  readonly runtime: ApiServerRuntime;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the primary; its credentials are also what kubelets are shown. */
  readonly kubeconfig: string;
  readonly address: string;
  readonly port?: number;
  /** What it serves with; see `ServeApiOptions`. */
  readonly tls?: ServeApiOptions['tls'];
  readonly announce?: ServeApiOptions['announce'];
  /** Between rounds. Default 15 s. */
  readonly resolutionMs?: number;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly addressTypes?: readonly string[];
  readonly kubeletPort?: number;
  /** Do not check kubelets' certificates. */
  readonly kubeletInsecureTls?: boolean;
}

const RESOLUTION_MS = 15_000;
const TIMEOUT_MS = 10_000;
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'];

/** What nodes and pods use, measured by their kubelets, as the metrics.k8s.io API. */
export class MetricsServer implements CustomApiServer {
  readonly name = 'metrics-server';
  readonly #api: CustomApiServer;
  readonly #scraper: Scraper;
  readonly #client: KubeClient;

  constructor(options: MetricsServerOptions) {
    const { clock, runtime, kubeconfig, address, port, announce, resolutionMs = RESOLUTION_MS } = options;
    const logger = options.logger.child({ component: this.name });
    const { transport } = clientConfig(readKubeconfig({ path: kubeconfig }), { clock });
    this.#client = new KubeClient({ transport: new HttpsTransport(transport), clock, userAgent: `metrics-server/${KUBERNETES_VERSION}` });
    const store = new UsageStore(resolutionMs);
    const { ca, cert, key } = transport;
    this.#scraper = new Scraper({
      client: this.#client,
      tls: { cert, key, ...(options.kubeletInsecureTls ? { insecure: true } : { ca }) },
      store,
      addressTypes: options.addressTypes ?? ADDRESS_TYPES,
      ...(options.kubeletPort === undefined ? {} : { kubeletPort: options.kubeletPort }),
      clock,
      logger,
      resolutionMs,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    });
    this.#api = runtime.serve(metricsApi({ store, client: this.#client, clock }), {
      kubeconfig,
      address,
      ...(port === undefined ? {} : { port }),
      ...(options.tls ? { tls: options.tls } : {}),
      ...(announce ? { announce } : {}),
      checks: { 'metric-storage-ready': () => (store.size > 0 ? undefined : 'no node has been measured twice yet') },
    });
  }

  get state$(): Observable<ComponentState> {
    return this.#api.state$;
  }

  get groupVersions(): CustomApiServer['groupVersions'] {
    return this.#api.groupVersions;
  }

  get endpoint(): CustomApiServer['endpoint'] {
    return this.#api.endpoint;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#api.start(signal);
    this.#scraper.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#scraper.stop();
    await this.#api.stop(deadline);
    await this.#client.close();
  }
}
