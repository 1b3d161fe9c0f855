import type { Node } from '@coxswain/api';
import { HttpsTransport } from '@coxswain/client';
import type { KubeClient, TlsOptions } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';
import { parseResourceMetrics } from './parse-resource-metrics.js';
import type { UsageStore } from './usage-store.js';

export interface ScraperOptions {
  readonly client: KubeClient;
  /** What kubelets are shown and checked with. */
  readonly tls: TlsOptions;
  readonly store: UsageStore;
  readonly addressTypes: readonly string[];
  /** Instead of the port a node says. */
  readonly kubeletPort?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between rounds. */
  readonly resolutionMs: number;
  /** Of one kubelet's answer. */
  readonly timeoutMs: number;
}

const DEFAULT_PORT = 10_250;
/** Rates need two rounds: the second follows soon. */
const SECOND_ROUND_MS = 3000;
const PARALLEL = 20;

interface Kubelet {
  readonly url: string;
  readonly transport: HttpsTransport;
}

/** Asks every node's kubelet what it and its containers use, round after round. A kubelet that does not answer holds up nobody. */
export class Scraper {
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #failing = new Set<string>();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  constructor(readonly options: ScraperOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
    for (const { transport } of this.#kubelets.values()) await transport.close();
    this.#kubelets.clear();
  }

  async #run(): Promise<void> {
    const { clock, logger, resolutionMs } = this.options;
    const { signal } = this.#end;
    for (let round = 0; !signal.aborted; round++) {
      const began = clock.monotonic();
      await this.round(signal).catch((err: unknown) => {
        if (!signal.aborted) logger.warn('the nodes could not be listed', { err });
      });
      const wait = (round === 0 ? Math.min(SECOND_ROUND_MS, resolutionMs) : resolutionMs) - (clock.monotonic() - began);
      await clock.sleep(Math.max(wait, 100), signal).catch(() => {});
    }
  }

  /** Ask all nodes once. */
  async round(signal: AbortSignal): Promise<void> {
    const nodes = (await this.options.client.api.nodes().list({ resourceVersion: '0', signal })).items;
    const names = new Set(nodes.map(({ metadata }) => metadata?.name ?? ''));
    this.options.store.keep(names);
    for (const [name, { transport }] of this.#kubelets) {
      if (names.has(name)) continue;
      this.#kubelets.delete(name);
      await transport.close();
    }
    const queue = [...nodes];
    const work = async () => {
      for (let node = queue.shift(); node && !signal.aborted; node = queue.shift()) await this.#scrape(node, signal);
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, nodes.length) }, work));
  }

  async #scrape(node: Node, signal: AbortSignal): Promise<void> {
    const { clock, logger, store, timeoutMs } = this.options;
    const name = node.metadata?.name ?? '';
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const answer = await this.#kubelet(name, node).transport.request({
        method: 'GET',
        path: '/metrics/resource',
        headers: { accept: 'text/plain', 'user-agent': 'metrics-server' },
        signal: AbortSignal.any([signal, limit.signal]),
      });
      const text = Buffer.from(answer.body).toString();
      if (answer.status !== 200) throw new Error(`request failed, status: "${answer.status} ${text.trim().slice(0, 200)}"`);
      store.store(name, parseResourceMetrics(text, clock.now()));
      if (this.#failing.delete(name)) logger.info('a node answers again', { node: name });
    } catch (err) {
      // Said once, not every round.
      if (!signal.aborted && !this.#failing.has(name)) logger.warn('a node could not be scraped', { node: name, err });
      this.#failing.add(name);
    } finally {
      cancel();
    }
  }

  /** Throws when the node has no address of the wanted types. */
  #kubelet(name: string, node: Node): Kubelet {
    const { addressTypes, kubeletPort, tls, clock } = this.options;
    const { addresses = [], daemonEndpoints } = node.status ?? {};
    const host = addressTypes.flatMap((wanted) => addresses.filter(({ type }) => type === wanted)).map(({ address }) => address)[0];
    if (!host) throw new Error(`node ${name} has no address of type ${addressTypes.join(', ')}`);
    const port = kubeletPort ?? daemonEndpoints?.kubeletEndpoint?.Port ?? DEFAULT_PORT;
    const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const known = this.#kubelets.get(name);
    if (known?.url === url) return known;
    void known?.transport.close();
    const made = { url, transport: new HttpsTransport({ server: url, ...tls, clock }) };
    this.#kubelets.set(name, made);
    return made;
  }
}
