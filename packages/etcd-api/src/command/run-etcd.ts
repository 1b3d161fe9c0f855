import { CliError, type LogLevel, readFlagFile, seconds } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { component } from '@coxswain/host';
import {
  type CancelTimer,
  Clock,
  type Component,
  type ComponentServer,
  ComponentStateCell,
  Logger,
  MetricRegistry,
  ProcessMetrics,
  serveComponent,
  StateStore,
  use,
} from '@coxswain/sdk';
import { lmdbStore } from '@coxswain/store-lmdb';
import { type EtcdServer, serveEtcd, type ServeEtcdOptions } from '../serve-etcd.js';

export interface EtcdFlags {
  readonly name: string;
  readonly dataDir: string;
  readonly listenClientUrls: readonly string[];
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly trustedCaFile?: string;
  readonly clientCertAuth: boolean;
  readonly autoCompactionRetention: string;
  readonly listenMetricsUrls: readonly string[];
  readonly logLevel: LogLevel;
}

export function runEtcd(flags: EtcdFlags): Promise<void> {
  const options = etcdOptions(flags);
  return runComponents(
    'etcd',
    flags.logLevel,
    [component('etcd', [StateStore, Clock, Logger], (store, clock, logger) => new EtcdProgram(options, store, clock, logger))],
    [use(lmdbStore, { path: flags.dataDir })],
  );
}

interface EtcdOptions {
  readonly listeners: readonly Pick<ServeEtcdOptions, 'endpoint' | 'tls'>[];
  /** Undefined: all history is kept. */
  readonly retentionMs: number | undefined;
  readonly metrics: readonly { readonly address: string; readonly port: number }[];
}

/** Throws `CliError` that names the flag. */
export function etcdOptions(flags: EtcdFlags): EtcdOptions {
  const tls = tlsOf(flags);
  const listeners = flags.listenClientUrls.map((endpoint) => {
    if (!endpoint.startsWith('https:')) return { endpoint };
    if (!tls) throw new CliError(`--listen-client-urls: ${endpoint} needs --cert-file and --key-file`, undefined, 2);
    return { endpoint, tls };
  });
  if (listeners.length === 0) throw new CliError('--listen-client-urls: no URL is given', undefined, 2);
  return {
    listeners,
    retentionMs: retention(flags.autoCompactionRetention),
    metrics: flags.listenMetricsUrls.map((text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url?.protocol !== 'http:') throw new CliError(`--listen-metrics-urls: ${JSON.stringify(text)} is no http:// URL`, undefined, 2);
      return { address: url.hostname, port: Number(url.port || 80) };
    }),
  };
}

function tlsOf({ certFile, keyFile, trustedCaFile, clientCertAuth }: EtcdFlags): ServeEtcdOptions['tls'] {
  if ((certFile === undefined) !== (keyFile === undefined)) throw new CliError('--cert-file and --key-file go together', undefined, 2);
  if (clientCertAuth && trustedCaFile === undefined) throw new CliError('--client-cert-auth needs --trusted-ca-file', undefined, 2);
  if (certFile === undefined || keyFile === undefined) return undefined;
  return {
    cert: readFlagFile('--cert-file', certFile),
    key: readFlagFile('--key-file', keyFile),
    // As etcd: an authority alone makes clients show a certificate, too.
    ...(trustedCaFile === undefined ? {} : { clientCa: readFlagFile('--trusted-ca-file', trustedCaFile) }),
  };
}

/** A plain number means hours, as in etcd. */
function retention(text: string): number | undefined {
  if (text === '0' || text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 3_600_000;
  try {
    return seconds(text) * 1000;
  } catch {
    throw new CliError(`--auto-compaction-retention: ${JSON.stringify(text)} is neither hours nor a duration such as 5m`, undefined, 2);
  }
}

/** Looks at the revision ten times within what is kept, as etcd does. */
const LOOKS = 10;

class EtcdProgram implements Component {
  readonly name = 'etcd';
  readonly #cell = new ComponentStateCell();
  readonly state$ = this.#cell.state$;
  readonly #servers: (EtcdServer | ComponentServer)[] = [];
  #cancel: CancelTimer = () => {};

  constructor(
    private readonly options: EtcdOptions,
    private readonly store: StateStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const { listeners, metrics, retentionMs } = this.options;
    try {
      for (const listener of listeners) {
        const server = await serveEtcd({ store: this.store, ...listener });
        this.#servers.push(server);
        this.logger.info('serving clients', { endpoint: server.endpoint });
      }
      const registry = new MetricRegistry();
      registry.register(new ProcessMetrics());
      for (const listener of metrics)
        this.#servers.push(
          await serveComponent({ ...listener, metrics: () => registry.expose(), checks: {}, pages: { '/health': () => ({ health: 'true', reason: '' }) } }),
        );
    } catch (error) {
      await this.#close();
      throw error;
    }
    if (retentionMs !== undefined) this.#compact(retentionMs, []);
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#close();
    this.#cell.set('stopped');
  }

  async #close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  #compact(retentionMs: number, seen: readonly number[]): void {
    this.#cancel = this.clock.setTimeout(() => {
      void this.#look(seen).then((next) => this.#compact(retentionMs, next));
    }, retentionMs / LOOKS);
  }

  /** What was the newest revision so many looks ago is the oldest from now on. */
  async #look(seen: readonly number[]): Promise<readonly number[]> {
    const { revision } = await this.store.range({ key: '/' }, { countOnly: true });
    const all = [...seen, revision];
    if (all.length <= LOOKS) return all;
    const [oldest = 0, ...rest] = all;
    if (oldest > 0 && oldest !== rest[0])
      await this.store.compact(oldest).catch((err: unknown) => this.logger.warn('forgetting old revisions failed', { err, revision: oldest }));
    return rest;
  }
}
