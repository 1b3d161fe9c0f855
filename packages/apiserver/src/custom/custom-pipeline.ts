import type { SchemaLookup } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { AdmissionPlugin, ApiKind, ApiServerDefinition, Authenticator, Authorizer, HealthCheck, StateStore } from '@coxswain/sdk';
import { AdmissionChain } from '../admission/admission-chain.js';
import { ApiHandler } from '../api-handler.js';
import { Authentication } from '../auth/authentication.js';
import { Authorization } from '../auth/authorization.js';
import { Discovery } from '../discovery/discovery.js';
import { discoveryPaths } from '../discovery/discovery-paths.js';
import { groupPaths } from '../discovery/listed-paths.js';
import { healthPaths } from '../health/health-paths.js';
import { infoPaths, VERSION } from '../health/info-paths.js';
import { RequestMetrics } from '../health/request-metrics.js';
import { serverMetrics } from '../health/server-metrics.js';
import { InFlight } from '../http/in-flight.js';
import { OpenApi } from '../openapi/open-api.js';
import { openApiPaths } from '../openapi/open-api-paths.js';
import { ResourceRegistry } from '../registry/resource-registry.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { ApiRequest, ApiResponse } from '../request/api-request.js';
import { ResourceHandler } from '../rest/resource-handler.js';
import type { RestEnv } from '../rest/rest-env.js';
import { LeasePool } from '../storage/lease-pool.js';
import { StoreFeed } from '../storage/store-feed.js';
import { customActions } from './custom-actions.js';
import { delegatedNamespaces } from './delegated-namespaces.js';
import { kindRegistration } from './kind-registration.js';
import type { KindEnv } from './kind-registration.js';
import { noStore } from './no-store.js';

const ROOT = '/registry/';
const TICK_MS = 1000;
const COMPACTION_MS = 300_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** As upstream's defaults for reading and changing requests. */
const MAX_IN_FLIGHT = 400;
const MAX_MUTATING_IN_FLIGHT = 200;

export interface CustomPipelineOptions {
  readonly definitions: readonly ApiServerDefinition[];
  readonly store?: StateStore;
  readonly lookup: SchemaLookup;
  readonly authenticator: Authenticator;
  readonly authorizers: readonly Authorizer[];
  readonly admission: readonly AdmissionPlugin[];
  /** The primary. */
  readonly client: KubeClient;
  readonly checks: readonly HealthCheck[];
  readonly env: KindEnv;
}

/** The primary's pipeline over a table of a custom server's own. */
export class CustomPipeline {
  readonly registry: ResourceRegistry;
  readonly #feed: StoreFeed;
  readonly #store: StateStore | undefined;
  readonly #handler: ApiHandler;
  readonly #timers: (() => void)[] = [];
  #started = false;

  constructor(readonly options: CustomPipelineOptions) {
    const { definitions, lookup, env } = options;
    const { clock, random, logger } = env;
    const stored = definitions.flatMap(({ kinds }) => kinds.filter((kind) => !kind.handlers));
    if (stored.length > 0 && !options.store) throw new Error(`${stored[0]?.kind} has no handlers: a store is needed to keep it (ServeApiOptions.store)`);
    this.#store = stored.length > 0 ? options.store : undefined;
    const store = this.#store ?? noStore;
    this.#feed = new StoreFeed({ store, clock, logger, root: ROOT });
    this.registry = new ResourceRegistry(store, this.#feed);
    const kinds = new Map<string, ApiKind>();
    for (const definition of definitions) {
      for (const kind of definition.kinds) {
        this.registry.addBuiltIn(kindRegistration(definition, kind, this.registry, lookup, env));
        kinds.set(`${definition.group}/${definition.version}/${kind.plural}`, kind);
      }
    }
    const kindOf = ({ definition: { group, version, resource } }: ServedResource) => kinds.get(`${group}/${version}/${resource}`);
    const authorization = new Authorization(options.authorizers);
    const rest: RestEnv = {
      clock,
      random,
      logger,
      feed: this.#feed,
      registry: this.registry,
      admission: new AdmissionChain([delegatedNamespaces(options.client, clock), ...options.admission]),
      eventLeases: new LeasePool(store, clock, 3600),
      hooks: new Map(),
      authorize: async (context, verb) => authorization.check(context, verb),
    };
    const resources = new ResourceHandler({ env: rest, actions: customActions([...kinds.values()], kindOf) });
    const discovery = new Discovery(this.registry, () => '');
    const openApi = new OpenApi(this.registry, VERSION.gitVersion, lookup);
    const metrics = new RequestMetrics();
    const inFlight = new InFlight(MAX_IN_FLIGHT, MAX_MUTATING_IN_FLIGHT);
    serverMetrics(metrics, this.registry, this.#feed, () => inFlight.counts);
    this.#handler = new ApiHandler({
      clock,
      random,
      logger,
      authentication: new Authentication([options.authenticator], [], true),
      authorization,
      inFlight,
      metrics,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      paths: [
        discoveryPaths(discovery),
        healthPaths(this.#health()),
        infoPaths(metrics, () => [
          '/apis',
          ...groupPaths(discovery),
          '/healthz',
          '/livez',
          '/metrics',
          '/metrics/slis',
          '/openapi/v2',
          '/openapi/v3',
          '/readyz',
          '/version',
        ]),
        openApiPaths(openApi, clock),
      ],
      resources: (context) => resources.handle(context),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#store) await this.#feed.start(signal);
    this.registry.started();
    this.#started = true;
    if (!this.#store) return;
    this.#every(TICK_MS, (n) => {
      for (const { cache } of this.registry.storages()) cache.groups.tick(n, this.#feed.revision);
    });
    let previous = this.#feed.revision;
    this.#every(COMPACTION_MS, () => {
      const revision = previous;
      previous = this.#feed.revision;
      if (revision > 0) this.#store?.compact(revision).catch((err: unknown) => this.options.env.logger.warn('compaction failed', { err }));
    });
  }

  handle(request: ApiRequest): Promise<ApiResponse> | ApiResponse {
    return this.#handler.handle(request);
  }

  /** Watches end: their clients come back to whoever serves next. */
  end(): void {
    for (const { cache } of this.registry.storages()) cache.groups.end();
  }

  async stop(): Promise<void> {
    this.#started = false;
    for (const cancel of this.#timers.splice(0)) cancel();
    if (this.#store) await this.#feed.stop();
  }

  #health() {
    const ping: HealthCheck = { name: 'ping', check: () => undefined };
    const store: HealthCheck[] = this.#store ? [{ name: 'store', check: () => this.#feed.failure?.message }] : [];
    const started: HealthCheck = { name: 'poststarthook/started', check: () => (this.#started ? undefined : 'not finished') };
    return { healthz: [ping, ...store, started], livez: [ping, ...store], readyz: [ping, ...store, started, ...this.options.checks] };
  }

  #every(ms: number, run: (n: number) => void): void {
    let n = 0;
    let cancel = () => {};
    const schedule = () => {
      cancel = this.options.env.clock.setTimeout(() => {
        run(n++);
        schedule();
      }, ms);
    };
    schedule();
    this.#timers.push(() => cancel());
  }
}
