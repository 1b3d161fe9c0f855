import type { Pod } from '@coxswain/api';
import { InformerFactory, type KubeClient, objectKey, Resources } from '@coxswain/client';
import {
  type Addon,
  type Clock,
  type ComponentRun,
  Counter,
  Gauge,
  type Logger,
  MetricRegistry,
  ProcessMetrics,
  type Random,
  RunsComponent,
} from '@coxswain/sdk';
import { join } from 'node:path';
import { Collector } from './collect/collector.js';
import { Positions } from './collect/positions.js';
import { type DropPolicy, ExportQueue } from './otlp/export-queue.js';
import { OtlpExporter } from './otlp/otlp-exporter.js';
import { LiveTail } from './search/live-tail.js';
import { type CallerRules, readCallerRules } from './server/callers.js';
import { LogServer } from './server/log-server.js';
import { askPeer, otherPeers, type PeerIdentity } from './server/peers.js';
import { publish, withdraw } from './server/publish.js';
import { LogStore } from './store/log-store.js';

export interface OtlpOptions {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bufferBytes: number;
  readonly whenFull: DropPolicy;
}

export interface LoggingOptions {
  readonly client: KubeClient;
  /** `/var/log/containers` or its like. */
  readonly containerLogs: string;
  readonly stateDir: string;
  readonly retention: { readonly bytes: number; readonly ageMs: number };
  readonly otlp?: OtlpOptions;
  readonly nodeName: string;
  readonly clusterName: string;
  readonly address: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string };
  /** PEM of the cluster's authority: of our serving certificate, and of the other nodes' add-ons. */
  readonly clientCa: string;
  /** For asking the add-ons of other nodes. */
  readonly identity: PeerIdentity;
  readonly pollMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const PUBLISH_AGAIN_MS = 5000;
const WITHDRAW_MS = 2000;
const FORGET_MS = 60_000;

/** Collects the container logs of its node, keeps them for a while, answers searches and forwards them. */
export class Logging extends RunsComponent<Running> implements Addon {
  readonly name = 'logging';

  constructor(readonly options: LoggingOptions) {
    super();
  }

  get endpoints(): Readonly<Record<string, string>> {
    return this.running ? { logs: `https://${this.options.address}:${this.running.server.port}/` } : {};
  }

  protected makeRun(): Running {
    return new Running(this.options);
  }
}

/** What lives between one `start` and its `stop`. */
class Running implements ComponentRun {
  readonly server: LogServer;
  readonly #stopping = new AbortController();
  readonly #loops: Promise<unknown>[] = [];
  readonly #informers: InformerFactory;
  readonly #labels = new Map<string, { readonly uid: string; readonly labels: Readonly<Record<string, string>> }>();
  readonly #store: LogStore;
  readonly #positions: Positions;
  readonly #tail = new LiveTail();
  readonly #exporter: OtlpExporter | undefined;
  readonly #metrics = new MetricRegistry();
  /** Nobody is answered before it is known who may ask. */
  #callers: CallerRules | undefined;

  constructor(readonly options: LoggingOptions) {
    const { client, clock, random, logger, stateDir, nodeName } = options;
    this.#informers = new InformerFactory({ client, clock, random, logger });
    this.#store = new LogStore({ folder: join(stateDir, 'segments'), retention: options.retention, clock, logger });
    this.#positions = new Positions(join(stateDir, 'positions.json'));
    const { otlp } = options;
    const queue = otlp ? new ExportQueue(otlp.bufferBytes, otlp.whenFull) : undefined;
    this.#exporter = otlp && queue ? new OtlpExporter({ ...options, endpoint: otlp.endpoint, headers: otlp.headers, queue }) : undefined;
    this.server = new LogServer({
      ...options,
      callers: () => this.#callers,
      store: this.#store,
      tail: this.#tail,
      metrics: () => this.#metrics.expose(),
      others: async (path, signal) => {
        const peers = await otherPeers(client, nodeName, signal);
        return new Map(peers.map((peer) => [peer.node, askPeer(peer, options.identity, path, signal)]));
      },
    });
    this.#measure(queue);
  }

  readonly #entries = this.#metrics.register(new Counter('coxswain_logging_entries_total', 'Lines collected, by namespace.'));

  #measure(queue: ExportQueue | undefined): void {
    const gauge = (name: string, help: string, read: () => number) => this.#metrics.register(new Gauge(name, help, () => [{ value: read() }]));
    gauge('coxswain_logging_store_bytes', 'Size of what is kept on disk.', () => this.#store.bytes);
    if (queue) {
      gauge('coxswain_logging_otlp_queue_bytes', 'What waits to be forwarded.', () => queue.bytes);
      gauge('coxswain_logging_otlp_dropped_entries', 'Lines not forwarded because the buffer was full.', () => queue.dropped);
      gauge('coxswain_logging_otlp_sent_entries', 'Lines forwarded.', () => this.#exporter?.sent ?? 0);
      gauge('coxswain_logging_otlp_refused_entries', 'Lines the collector refused for good.', () => this.#exporter?.refused ?? 0);
    }
    this.#metrics.register(this.options.client.rest.metrics);
    this.#metrics.register(new ProcessMetrics());
  }

  async start(signal: AbortSignal): Promise<void> {
    const { options } = this;
    const { nodeName, clock, logger, pollMs = 500 } = options;
    // What a crash left in segments is newer than the positions saved.
    for (const [id, offset] of this.#store.recover()) {
      const known = this.#positions.get(id);
      if ((known?.offset ?? 0) < offset) this.#positions.set(id, { offset, path: known?.path ?? '' });
    }
    const pods = this.#informers.informer(Resources.pods, { fieldSelector: `spec.nodeName=${nodeName}` });
    const keep = (pod: Pod) => this.#labels.set(objectKey(pod), { uid: pod.metadata?.uid ?? '', labels: pod.metadata?.labels ?? {} });
    // A pod's last lines are collected after it is gone.
    const forget = (pod: Pod) =>
      clock.setTimeout(() => {
        if (this.#labels.get(objectKey(pod))?.uid === pod.metadata?.uid) this.#labels.delete(objectKey(pod));
      }, FORGET_MS);
    pods.addHandler({ add: keep, update: (_, pod) => keep(pod), delete: forget });
    await this.server.listen();
    this.#informers.start();
    const collector = new Collector({
      folder: options.containerLogs,
      store: this.#store,
      positions: this.#positions,
      labelsOf: (namespace, pod, uid) => this.#labelsOf(`${namespace}/${pod}`, uid),
      onEntries: (entries) => {
        for (const { source } of entries) this.#entries.inc({ namespace: source.namespace });
        this.#tail.push(entries);
        this.#exporter?.push(entries);
      },
      pollMs,
      clock,
      logger,
    });
    const stopping = this.#stopping.signal;
    // Labels first: lines collected without them would not be found by them.
    this.#loops.push(
      this.#informers
        .synced(stopping)
        .catch(() => {})
        .then(() => collector.run(stopping)),
    );
    if (this.#exporter) this.#loops.push(this.#exporter.run(stopping));
    this.#loops.push(this.#publish(stopping));
    signal.throwIfAborted();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { client, clock, logger, nodeName } = this.options;
    this.#stopping.abort(new Error('logging is stopping'));
    await Promise.all(this.#loops);
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(), WITHDRAW_MS);
    await withdraw(client, nodeName, AbortSignal.any([deadline, limit.signal])).catch((err: unknown) =>
      logger.debug('could not take the logging endpoint back', { err }),
    );
    cancel();
    await this.server.close();
    await this.#informers.stop();
    await this.#store.close();
    this.#positions.save();
  }

  #labelsOf(key: string, uid: string): Readonly<Record<string, string>> {
    const known = this.#labels.get(key);
    // A static pod's folder has its configuration's hash for a UID, which the API has not.
    return known && (known.uid === uid || !uid.includes('-')) ? known.labels : {};
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { client, nodeName, address, clientCa, clock, logger } = this.options;
    while (!signal.aborted) {
      try {
        this.#callers = await readCallerRules(client, clientCa, signal);
        await publish(client, { nodeName, address, port: this.server.port, caBundle: clientCa }, signal);
        return;
      } catch (err) {
        if (signal.aborted) return;
        logger.warn('the log search API was not announced; trying again', { err });
        await clock.sleep(PUBLISH_AGAIN_MS, signal).catch(() => {});
      }
    }
  }
}
