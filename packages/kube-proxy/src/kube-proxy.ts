import type { Node } from '@coxswain/api';
import { InformerFactory, type KubeClient, Resources } from '@coxswain/client';
import {
  type CancelTimer,
  type Clock,
  type Component,
  type ComponentServer,
  type ComponentServerOptions,
  ComponentStateCell,
  Counter,
  exponentialBuckets,
  Gauge,
  Histogram,
  type Logger,
  MetricRegistry,
  ProcessMetrics,
  type Random,
  type ServiceProxy,
  serveComponent,
} from '@coxswain/sdk';
import { HealthCheckServers } from './health-check-server.js';
import { PROXY_NAME_LABEL, SERVICE_NAME_LABEL } from './service-ports.js';
import { ServiceTracker } from './service-tracker.js';

export interface ProxyListener {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface KubeProxyOptions {
  readonly client: KubeClient;
  readonly proxy: ServiceProxy;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** `/healthz`, and `/metrics` without `metrics`; upstream's port is 10256. Absent: not served. */
  readonly serve?: ProxyListener;
  /** `/metrics`, `/proxyMode`, `/statusz`, with `flags` `/flagz` and with `profiling` profiles of the process on a listener of their own; upstream's port is 10249. */
  readonly metrics?: (ProxyListener & { readonly mode: string; readonly profiling?: boolean; readonly flags?: Readonly<Record<string, string>> }) | undefined;
  /** Whether a port that is taken ends the start (the default); else it is tried again. */
  readonly hardFail?: boolean;
  /** Where health check node ports listen; absent: on every address. */
  readonly healthCheckAddress?: string;
  /** How long changes are gathered before they are written; default 20 ms. Changes during a write wait for its end anyway. */
  readonly gatherMs?: number;
}

const LISTEN_AGAIN_MS = 5000;
const RETRY_MS = [250, 1000, 5000, 15_000, 30_000];
const SELECTOR = `!${PROXY_NAME_LABEL}`;
const ZONE = 'topology.kubernetes.io/zone';

/**
 * kube-proxy: keeps a `ServiceProxy` at what Services and EndpointSlices say.
 *
 * Level-triggered: events only mark Services as changed, and one write at a time carries what has changed since. The
 * rules stay when it stops, so that traffic goes on while it is restarted; `ServiceProxy.cleanup` removes them.
 */
export class KubeProxy implements Component {
  readonly name = 'kube-proxy';
  private readonly cell = new ComponentStateCell();
  readonly state$: Component['state$'] = this.cell.state$;
  private readonly metrics = new MetricRegistry();
  private readonly syncSeconds = this.metrics.register(
    new Histogram('kubeproxy_sync_proxy_rules_duration_seconds', 'Time to write the rules', exponentialBuckets(0.001, 2, 15)),
  );
  private readonly failures = this.metrics.register(new Counter('kubeproxy_sync_failures_total', 'Writes of rules that failed'));
  private readonly portChanges = this.metrics.register(new Counter('kubeproxy_sync_proxy_rules_service_changes_total', 'Service ports that changed'));
  private lastSync = 0;
  private problem: string | undefined;
  private running: Running | undefined;

  constructor(private readonly options: KubeProxyOptions) {
    this.metrics.register(options.client.rest.metrics);
    this.metrics.register(new ProcessMetrics());
    this.metrics.register(
      new Gauge('kubeproxy_sync_proxy_rules_last_timestamp_seconds', 'When the rules were last written', () => [{ value: this.lastSync / 1000 }]),
    );
  }

  /** Port of `/healthz`, when served. */
  get port(): number | undefined {
    return this.running?.servers.get('healthz')?.port;
  }

  /** Port of `/metrics`, when it has one of its own. */
  get metricsPort(): number | undefined {
    return this.running?.servers.get('metrics')?.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.running) return;
    this.cell.set('starting');
    const running = new Running(this.options);
    this.running = running;
    try {
      await this.begin(running, signal);
    } catch (error) {
      this.running = undefined;
      await running.stop();
      this.cell.set('failed', (error as Error).message);
      throw error;
    }
    this.cell.set('ready');
  }

  private async begin(running: Running, signal: AbortSignal): Promise<void> {
    const { serve, metrics, proxy, logger, healthCheckAddress } = this.options;
    running.health = new HealthCheckServers(logger, () => this.problem === undefined, healthCheckAddress);
    running.onChange = () => this.schedule(running, this.options.gatherMs ?? 20);
    running.informers.start();
    await running.informers.synced(signal);
    await this.timed(() => proxy.start(running.tracker.all(), signal));
    running.health.sync(running.tracker.healthChecks());
    const served = { checks: { sync: () => this.problem }, metrics: () => this.metrics.expose() };
    if (serve) await this.listen(running, 'healthz', metrics ? { ...serve, checks: served.checks } : { ...serve, ...served });
    if (metrics) {
      const zPages = { component: 'kube-proxy', ...(metrics.flags ? { flags: metrics.flags } : {}) };
      await this.listen(running, 'metrics', { ...metrics, ...served, zPages, texts: { '/proxyMode': () => metrics.mode } });
    }
    running.ready = true;
    if (running.tracker.changed) running.onChange();
  }

  private async listen(running: Running, name: 'healthz' | 'metrics', options: ComponentServerOptions): Promise<void> {
    try {
      const server = await serveComponent(options);
      if (running.stopped) await server.close();
      else running.servers.set(name, server);
    } catch (error) {
      if (this.options.hardFail !== false) throw error;
      this.options.logger.error(`${name} cannot be served; trying again`, { err: error });
      running.timers.push(this.options.clock.setTimeout(() => void this.listen(running, name, options), LISTEN_AGAIN_MS));
    }
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    const running = this.running;
    this.running = undefined;
    if (!running) return;
    this.cell.set('stopping');
    await running.stop();
    this.cell.set('stopped');
  }

  private schedule(running: Running, ms: number): void {
    if (!running.ready || running.timer || running.writing || running.stopped) return;
    running.timer = this.options.clock.setTimeout(() => {
      running.timer = undefined;
      running.writing = this.sync(running).finally(() => {
        running.writing = undefined;
        if (running.failed > 0) this.schedule(running, RETRY_MS[Math.min(running.failed, RETRY_MS.length) - 1] ?? 1000);
        else if (running.tracker.changed) this.schedule(running, this.options.gatherMs ?? 20);
      });
    }, ms);
  }

  private async sync(running: Running): Promise<void> {
    const { proxy, logger } = this.options;
    try {
      if (running.failed > 0) {
        // After a failure it is not known what was written: state all of it.
        await this.timed(() => proxy.start(running.tracker.all(), running.abort.signal));
      } else {
        const delta = running.tracker.take();
        if (delta.upsert.length + delta.remove.length > 0) {
          this.portChanges.inc({}, delta.upsert.length + delta.remove.length);
          await this.timed(() => proxy.apply(delta, running.abort.signal));
        }
      }
      running.health?.sync(running.tracker.healthChecks());
      running.failed = 0;
      this.problem = undefined;
      this.cell.set('ready');
    } catch (error) {
      if (running.stopped) return;
      running.failed++;
      this.failures.inc();
      this.problem = (error as Error).message;
      this.cell.set('degraded', this.problem);
      logger.error('writing service rules failed; trying again', { err: error, attempt: running.failed });
    }
  }

  private async timed(work: () => Promise<void>): Promise<void> {
    const { clock } = this.options;
    const begin = clock.monotonic();
    await work();
    this.syncSeconds.observe((clock.monotonic() - begin) / 1000);
    this.lastSync = clock.now();
  }
}

/** What lives between one `start` and its `stop`. */
class Running {
  readonly tracker: ServiceTracker;
  readonly informers: InformerFactory;
  readonly abort = new AbortController();
  health: HealthCheckServers | undefined;
  readonly servers = new Map<'healthz' | 'metrics', ComponentServer>();
  readonly timers: CancelTimer[] = [];
  timer: CancelTimer | undefined;
  writing: Promise<void> | undefined;
  /** Consecutive writes that failed. */
  failed = 0;
  ready = false;
  stopped = false;
  onChange: () => void = () => {};

  constructor({ client, clock, random, logger, nodeName }: KubeProxyOptions) {
    this.tracker = new ServiceTracker(nodeName);
    this.informers = new InformerFactory({ client, clock, random, logger });
    const services = this.informers.informer(Resources.services, { labelSelector: SELECTOR });
    const slices = this.informers.informer(Resources.endpointSlices, { labelSelector: `${SELECTOR},!service.kubernetes.io/headless` });
    const node = this.informers.informer(Resources.nodes, { fieldSelector: `metadata.name=${nodeName}` });
    const change =
      <T>(take: (object: T) => void) =>
      (object: T) => {
        take(object);
        this.onChange();
      };
    const setService = change(this.tracker.setService.bind(this.tracker));
    const setSlice = change(this.tracker.setSlice.bind(this.tracker));
    const setNode = change((object: Node) => this.tracker.setZone(object.metadata.labels?.[ZONE]));
    node.addHandler({ add: setNode, update: (old, object) => old.metadata.labels?.[ZONE] !== object.metadata.labels?.[ZONE] && setNode(object) });
    services.addHandler({ add: setService, update: (_old, object) => setService(object), delete: change(this.tracker.deleteService.bind(this.tracker)) });
    slices.addHandler({
      add: setSlice,
      update: (old, object) => {
        // A slice may be given to another Service.
        if (old.metadata.labels?.[SERVICE_NAME_LABEL] !== object.metadata.labels?.[SERVICE_NAME_LABEL]) this.tracker.deleteSlice(old);
        setSlice(object);
      },
      delete: change(this.tracker.deleteSlice.bind(this.tracker)),
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.();
    this.abort.abort(new Error('kube-proxy is stopping'));
    await this.writing;
    await this.informers.stop();
    await this.health?.close();
    for (const cancel of this.timers) cancel();
    for (const server of this.servers.values()) await server.close();
  }
}
