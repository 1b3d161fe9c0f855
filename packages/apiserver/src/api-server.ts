import type { ResourceDefinition, SchemaLookup } from '@coxswain/api';
import type { AdmissionPlugin, Authenticator, Authorizer, Clock, Component, ComponentState, Logger, Random, StateStore, UserInfo } from '@coxswain/sdk';
import { ComponentStateCell } from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import { AdmissionChain } from './admission/admission-chain.js';
import { ApiHandler } from './api-handler.js';
import type { PathHandler } from './api-handler.js';
import { Authentication } from './auth/authentication.js';
import { Authorization } from './auth/authorization.js';
import { certificateAuthenticator } from './auth/certificate-authenticator.js';
import { tokenFileAuthenticator } from './auth/token-file-authenticator.js';
import { Discovery } from './discovery/discovery.js';
import { discoveryPaths } from './discovery/discovery-paths.js';
import { healthPaths } from './health/health-paths.js';
import type { HealthCheck } from './health/health-paths.js';
import { infoPaths } from './health/info-paths.js';
import { RequestMetrics } from './health/request-metrics.js';
import { HttpServer } from './http/http-server.js';
import { InFlight } from './http/in-flight.js';
import { ResourceRegistry } from './registry/resource-registry.js';
import { ResourceHandler } from './rest/resource-handler.js';
import type { RestEnv } from './rest/rest-env.js';
import { LeasePool } from './storage/lease-pool.js';
import { StoreFeed } from './storage/store-feed.js';

const ROOT = '/registry/';
const EVENT_TTL_SECONDS = 3600;
const TICK_MS = 1000;
const COMPACT_MS = 5 * 60_000;

export interface ApiServerOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly definitions: readonly ResourceDefinition[];
  readonly lookupSchema: SchemaLookup;
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCA?: string };
  /** Static bearer tokens, by digest (see `parseTokenFile`). */
  readonly tokens: ReadonlyMap<string, UserInfo>;
  readonly anonymous: boolean;
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly admission: readonly AdmissionPlugin[];
  readonly maxRequestsInFlight: number;
  readonly maxMutatingRequestsInFlight: number;
}

/** The Kubernetes API server. */
export class ApiServer implements Component {
  readonly name = 'apiserver';
  readonly registry: ResourceRegistry;
  readonly discovery: Discovery;
  readonly metrics = new RequestMetrics();
  readonly handler: ApiHandler;
  readonly #feed: StoreFeed;
  readonly #http: HttpServer;
  readonly #cell = new ComponentStateCell();
  readonly #timers: (() => void)[] = [];
  #started = false;

  constructor(readonly options: ApiServerOptions) {
    const { store, clock, random, logger } = options;
    this.#feed = new StoreFeed({ store, clock, logger, root: ROOT });
    this.registry = new ResourceRegistry(store, this.#feed);
    for (const definition of options.definitions) this.registry.addBuiltIn({ definition, lookup: options.lookupSchema });
    this.discovery = new Discovery(this.registry, () => `${options.host}:${this.port}`);
    const authorization = new Authorization(options.authorizers);
    const env: RestEnv = {
      clock,
      random,
      logger,
      feed: this.#feed,
      registry: this.registry,
      admission: new AdmissionChain(options.admission),
      eventLeases: new LeasePool(store, clock, EVENT_TTL_SECONDS),
      hooks: new Map(),
      authorize: async (context, verb) => authorization.check(context, verb),
    };
    const resources = new ResourceHandler({ env, actions: new Map() });
    const checks: HealthCheck[] = [
      { name: 'ping', check: () => undefined },
      { name: 'etcd', check: () => this.#feed.failure?.message },
    ];
    const paths: PathHandler[] = [
      discoveryPaths(this.discovery),
      healthPaths({ healthz: checks, livez: checks, readyz: [...checks, { name: 'informer-sync', check: () => (this.#started ? undefined : 'not started') }] }),
      infoPaths(this.metrics, () => ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version']),
    ];
    this.handler = new ApiHandler({
      clock,
      random,
      logger,
      authentication: new Authentication([certificateAuthenticator(clock), tokenFileAuthenticator(options.tokens), ...options.authenticators], [], options.anonymous),
      authorization,
      inFlight: new InFlight(options.maxRequestsInFlight, options.maxMutatingRequestsInFlight),
      metrics: this.metrics,
      paths,
      resources: (context) => resources.handle(context),
    });
    this.#http = new HttpServer({
      cert: options.tls.cert,
      key: options.tls.key,
      clientCA: options.tls.clientCA,
      host: options.host,
      port: options.port,
      clock,
      logger,
      handle: (request) => this.handler.handle(request),
    });
  }

  get state$(): Observable<ComponentState> {
    return this.#cell.state$;
  }

  /** Known once started. */
  get port(): number {
    return this.#http.port;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#cell.set('starting');
    try {
      await this.#feed.start(signal);
      this.registry.started();
      await this.#http.listen();
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      await this.#feed.stop();
      throw error;
    }
    this.#every(TICK_MS, (n) => {
      for (const { cache } of this.registry.storages()) cache.groups.tick(n, this.#feed.revision);
    });
    this.#every(COMPACT_MS, this.#compactor());
    this.#started = true;
    this.#cell.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#cell.set('stopping');
    for (const cancel of this.#timers.splice(0)) cancel();
    await this.#http.close(deadline);
    await this.#feed.stop();
    this.#cell.set('stopped');
  }

  /** History older than one period is forgotten, so that a client has at least that long to page through a list. */
  #compactor(): () => void {
    let previous = this.#feed.revision;
    return () => {
      const revision = previous;
      previous = this.#feed.revision;
      if (revision > 0) this.options.store.compact(revision).catch((err: unknown) => this.options.logger.warn('compaction failed', { err }));
    };
  }

  #every(ms: number, run: (n: number) => void): void {
    let n = 0;
    let cancel = () => {};
    const schedule = () => {
      cancel = this.options.clock.setTimeout(() => {
        run(n++);
        schedule();
      }, ms);
    };
    schedule();
    this.#timers.push(() => cancel());
  }
}
