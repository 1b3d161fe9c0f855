import { InformerFactory, objectKey, Resources } from '@coxswain/client';
import type { KubeClient } from '@coxswain/client';
import { type Addon, type Clock, type ComponentRun, type ComponentServer, type Logger, type Random, RunsComponent, serveComponent } from '@coxswain/sdk';
import { DnsListener } from './dns-listener.js';
import { DnsMetrics } from './dns-metrics.js';
import { DnsModel } from './dns-model.js';
import { DNS_NAMESPACE, DNS_SERVICE, DnsServicePublisher } from './dns-service-publisher.js';
import { Forwarder } from './forwarder.js';
import type { DnsProtocol } from './forwarder.js';
import { systemUpstreams } from './resolv-conf.js';
import type { Upstream } from './resolv-conf.js';
import { Responder } from './responder.js';

export interface ClusterDnsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where to listen, UDP and TCP. */
  readonly address: string;
  readonly port: number;
  /** `/healthz`, `/readyz`, `/metrics`. Absent: not served. */
  readonly serve?: { readonly address: string; readonly port: number };
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** The address of the `kube-dns` Service. Default 10.96.0.10. */
  readonly clusterIP?: string;
  /** Names this server's EndpointSlice. */
  readonly nodeName: string;
  /** The address other hosts and pods reach this server by. Default: `address`. */
  readonly advertiseAddress?: string;
  /** Default: those of the machine's resolv.conf. Our own addresses are left out. */
  readonly upstreams?: readonly Upstream[];
  /** Seconds answers may be kept. Default 5. */
  readonly ttl?: number;
  /** Keep the `kube-dns` Service and an EndpointSlice. Default true. */
  readonly publish?: boolean;
}

const TAKE_BACK_MS = 2000;

/** Cluster DNS: the names of Services and pods, everything else forwarded. */
export class ClusterDns extends RunsComponent<Running> implements Addon {
  readonly name = 'dns';

  constructor(readonly options: ClusterDnsOptions) {
    super();
  }

  get endpoints(): Readonly<Record<string, string>> {
    const { address } = this.options;
    return this.running ? { dns: `${address}:${this.running.listener.port}` } : {};
  }

  /** The port listened on; undefined when stopped. */
  get port(): number | undefined {
    return this.running?.listener.port;
  }

  /** The port of health and metrics, when served. */
  get servePort(): number | undefined {
    return this.running?.server?.port;
  }

  protected makeRun(): Running {
    return new Running(this.options);
  }
}

/** What lives between one `start` and its `stop`. */
class Running implements ComponentRun {
  readonly model: DnsModel;
  readonly listener: DnsListener;
  readonly #informers: InformerFactory;
  readonly #metrics: DnsMetrics;
  #responder: Responder | undefined;
  #publisher: DnsServicePublisher | undefined;
  server: ComponentServer | undefined;

  constructor(readonly options: ClusterDnsOptions) {
    const { client, clock, random, logger, clusterIP = '10.96.0.10', clusterDomain = 'cluster.local' } = options;
    this.model = new DnsModel({ zone: clusterDomain, ttl: options.ttl ?? 5, serverAddresses: [clusterIP] });
    this.#informers = new InformerFactory({ client, clock, random, logger });
    this.listener = new DnsListener({
      address: options.address,
      port: options.port,
      clock,
      respond: (message, protocol) => this.#respond(message, protocol),
    });
    let forwarder: Forwarder | undefined;
    this.#metrics = new DnsMetrics(`dns://${options.address}:${options.port}`, clusterDomain, () => forwarder?.cacheSize ?? 0, client.rest.metrics);
    forwarder = new Forwarder({
      upstreams: this.#upstreams(clusterIP),
      clock,
      random,
      logger,
      onCache: (hit) => this.#metrics.cache(hit),
    });
    this.#responder = new Responder({ model: this.model, forwarder, random });
    this.#follow();
  }

  async start(signal: AbortSignal): Promise<void> {
    const { options } = this;
    this.#informers.start();
    // Before the names are known, "no such name" would be a lie that clients remember.
    await this.#informers.synced(signal);
    await this.listener.listen();
    if (options.serve) {
      this.server = await serveComponent({
        ...options.serve,
        metrics: () => this.#metrics.expose(),
        checks: { service: () => (options.publish === false ? undefined : this.#publisher?.problem) },
      });
    }
    if (options.publish === false) return;
    this.#publisher = new DnsServicePublisher({
      client: options.client,
      clock: options.clock,
      logger: options.logger,
      clusterIP: options.clusterIP ?? '10.96.0.10',
      nodeName: options.nodeName,
      address: options.advertiseAddress ?? options.address,
      port: this.listener.port,
      metricsPort: this.server?.port,
    });
    await this.#publisher.publish();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#publisher) {
      const limit = new AbortController();
      const cancel = this.options.clock.setTimeout(() => limit.abort(), TAKE_BACK_MS);
      await this.#publisher.stop(AbortSignal.any([deadline, limit.signal]));
      cancel();
    }
    await this.listener.close();
    await this.server?.close();
    await this.#informers.stop();
  }

  #follow(): void {
    const { model } = this;
    const services = this.#informers.informer(Resources.services);
    const slices = this.#informers.informer(Resources.endpointSlices);
    const namespaces = this.#informers.informer(Resources.namespaces);
    const ours = (key: string) => {
      if (key === `${DNS_NAMESPACE}/${DNS_SERVICE}` || key === `${DNS_NAMESPACE}/${this.#publisher?.sliceName}`) this.#publisher?.trigger();
    };
    services.addHandler({
      add: (s) => model.setService(objectKey(s), s),
      update: (_, s) => {
        model.setService(objectKey(s), s);
        ours(objectKey(s));
      },
      delete: (s) => {
        model.setService(objectKey(s), undefined);
        ours(objectKey(s));
      },
    });
    slices.addHandler({
      add: (s) => model.setSlice(objectKey(s), s),
      update: (_, s) => {
        model.setSlice(objectKey(s), s);
        ours(objectKey(s));
      },
      delete: (s) => {
        model.setSlice(objectKey(s), undefined);
        ours(objectKey(s));
      },
    });
    namespaces.addHandler({
      add: (n) => model.setNamespace(objectKey(n), true),
      delete: (n) => model.setNamespace(objectKey(n), false),
    });
  }

  /** Asking ourselves, directly or through our Service, would be a loop. */
  #upstreams(clusterIP: string): Upstream[] {
    const { address, port, advertiseAddress, logger } = this.options;
    const own = (u: Upstream) => u.address === clusterIP || (u.port === port && [address, advertiseAddress].includes(u.address));
    const upstreams = (this.options.upstreams ?? systemUpstreams()).filter((u) => !own(u));
    if (upstreams.length === 0) logger.warn('no upstream DNS server is known: names outside the cluster will not resolve');
    return upstreams;
  }

  async #respond(message: Buffer, protocol: DnsProtocol): Promise<Buffer | undefined> {
    const { clock, logger } = this.options;
    const begin = clock.monotonic();
    try {
      const response = await this.#responder?.respond(message, protocol);
      if (response) this.#metrics.observe(response, protocol, (clock.monotonic() - begin) / 1000);
      return response?.message;
    } catch (error) {
      logger.error('answering a DNS query failed', { err: error });
      return undefined;
    }
  }
}
