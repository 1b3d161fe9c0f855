import { hostname as machineName } from 'node:os';
import { definitions as builtIns, lookupSchema as builtInSchemas } from '@coxswain/api';
import type { Transport } from '@coxswain/client';
import type { AdmissionPlugin, Authenticator, Authorizer, Component, ComponentState, UserInfo } from '@coxswain/sdk';
import { ComponentStateCell } from '@coxswain/sdk';
import { Counter } from 'prom-client';
import type { Observable } from 'rxjs';
import { actionHandlers } from './actions/action-handlers.js';
import { AdmissionChain } from './admission/admission-chain.js';
import { builtInAdmission } from './admission/built-in-admission.js';
import { extraAdmission } from './admission/extra/extra-admission.js';
import { Aggregator } from './aggregator/aggregator.js';
import { withExpressionRules } from './admission/policies/expression-rules.js';
import { mutatingPolicies } from './admission/policies/mutating-policies.js';
import { validatingPolicies } from './admission/policies/validating-policies.js';
import { admissionWebhooks } from './admission/webhooks/webhooks.js';
import { ApiHandler, SELF_NAME } from './api-handler.js';
import type { PathHandler } from './api-handler.js';
import type { ApiServerOptions } from './api-server-options.js';
import { AuditLog } from './audit/audit-log.js';
import { Authentication } from './auth/authentication.js';
import { Authorization } from './auth/authorization.js';
import { bootstrapTokenAuthenticator } from './auth/bootstrap-token-authenticator.js';
import { publishedAuthentication } from './bootstrap/published-authentication.js';
import { listedPaths } from './discovery/listed-paths.js';
import { tlsReloader } from './http/tls-reloader.js';
import { certificateAuthenticator } from './auth/certificate-authenticator.js';
import { frontProxyAuthenticator } from './auth/front-proxy-authenticator.js';
import { NodeAuthorizer } from './auth/node-authorizer.js';
import { LegacyTokenTracking } from './auth/legacy-token-tracking.js';
import { oidcPaths } from './auth/oidc-paths.js';
import { ServiceAccountTokens } from './auth/service-account-tokens.js';
import { tokenFileAuthenticator } from './auth/token-file-authenticator.js';
import { signingKey, verifyingKey } from './auth/token-keys.js';
import { bootstrap, ensureFlowControl, ensureKubernetesService, publishServers } from './bootstrap/bootstrap.js';
import { IdentityLease, serverIdentity } from './bootstrap/identity-lease.js';
import { ServerLeases } from './bootstrap/server-leases.js';
import { PolicyTypeChecker } from './admission/policies/policy-type-checker.js';
import { CrdController } from './crd/crd-controller.js';
import { withCrdRules } from './crd/crd-definition.js';
import { WebhookConverter } from './crd/webhook-converter.js';
import { ruleCheckOf } from './crd/rules/rule-check.js';
import { FlowControl } from './flowcontrol/flow-control.js';
import { Discovery } from './discovery/discovery.js';
import { discoveryPaths } from './discovery/discovery-paths.js';
import { healthPaths } from './health/health-paths.js';
import { profilePaths } from './health/profile-paths.js';
import { infoPaths, VERSION } from './health/info-paths.js';
import { RequestMetrics } from './health/request-metrics.js';
import { serverChecks } from './health/server-checks.js';
import { StartHooks } from './health/start-hooks.js';
import { serverMetrics } from './health/server-metrics.js';
import { zPaths } from './health/z-paths.js';
import { browserRules } from './http/browser-rules.js';
import { HttpServer } from './http/http-server.js';
import type { ServingCertificates } from './http/serving-certificates.js';
import { InFlight } from './http/in-flight.js';
import { inProcessTransport } from './in-process-transport.js';
import { KubeletLocator } from './proxy/kubelet-location.js';
import { RbacAuthorizer } from './rbac/rbac-authorizer.js';
import { ResourceRegistry } from './registry/resource-registry.js';
import { ResourceHandler } from './rest/resource-handler.js';
import type { RestEnv } from './rest/rest-env.js';
import { RouteRequests } from './routing/route-requests.js';
import { builtInHooks } from './services/built-in-hooks.js';
import { IpRange } from './services/ip-range.js';
import { OpenApi } from './openapi/open-api.js';
import { openApiPaths } from './openapi/open-api-paths.js';
import { WebhookClient } from './webhooks/webhook-client.js';
import { meteredStore } from './storage/metered-store.js';
import { LeasePool } from './storage/lease-pool.js';
import { StoreFeed } from './storage/store-feed.js';
import { openTracing, type Tracing } from './tracing/open-tracing.js';

const ROOT = '/registry/';
const TICK_MS = 1000;
/** Less than the time after which a server is forgotten. */
const SERVERS_INTERVAL_MS = 5000;
const FLOW_CONTROL_INTERVAL_MS = 60_000;
const TLS_CHECK_MS = 10_000;
const IDENTITY_INTERVAL_MS = 10_000;
/** Between two looks for Leases of servers that are gone. */
const IDENTITY_COLLECTION_MS = 3_600_000;
const FLOW_CONTROL = 'flowcontrol.apiserver.k8s.io';
/** The API server's own identity for what it does to its own objects. */
const SELF: UserInfo = { name: SELF_NAME, groups: ['system:masters', 'system:authenticated'] };

/** The Kubernetes API server: serves every registered resource over HTTPS, and in this process through `transport`. */
export class ApiServer implements Component {
  readonly name = 'apiserver';
  readonly registry: ResourceRegistry;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly metrics = new RequestMetrics();
  readonly handler: ApiHandler;
  readonly #feed: StoreFeed;
  readonly #http: HttpServer;
  readonly #rbac: RbacAuthorizer;
  readonly #ranges: readonly IpRange[];
  readonly #cell = new ComponentStateCell();
  readonly #crds: CrdController;
  readonly #policyTypes: PolicyTypeChecker;
  readonly #webhooks: WebhookClient;
  readonly #aggregator: Aggregator;
  readonly #flowControl: FlowControl | undefined;
  readonly #timers: (() => void)[] = [];
  #started = false;
  readonly #hooks: StartHooks;

  readonly #servers: ServerLeases;
  readonly #identity: IdentityLease;
  readonly #tracing: Tracing | undefined;
  readonly #legacyTokens: LegacyTokenTracking;

  constructor(readonly options: ApiServerOptions) {
    this.#servers = new ServerLeases(options.store, options.advertiseAddress);
    const { clock, random, logger } = options;
    const store = meteredStore(options.store, ROOT, () => clock.monotonic(), this.metrics.registry);
    this.#feed = new StoreFeed({ store, clock, logger, root: ROOT });
    this.registry = new ResourceRegistry(store, this.#feed);
    const lookup = options.lookupSchema ?? builtInSchemas;
    const serves = options.serves ?? (() => true);
    for (const definition of options.definitions ?? builtIns) {
      const registration = { definition: withExpressionRules(withCrdRules(definition)), lookup };
      if (serves(definition)) this.registry.addBuiltIn(registration);
      else this.registry.addUnserved(registration);
    }
    this.#webhooks = new WebhookClient(this.registry, clock, random);
    const externalHost = options.externalHostname ?? options.advertiseAddress;
    this.discovery = new Discovery(this.registry, () => `${externalHost}:${this.port}`);
    this.openApi = new OpenApi(this.registry, VERSION.gitVersion, lookup);
    this.#ranges = options.serviceRanges.map((cidr) => new IpRange(cidr));
    const cacheOf = (group: string, resource: string) => this.registry.storage(group, resource).cache;
    const rbacGroup = 'rbac.authorization.k8s.io';
    this.#rbac = new RbacAuthorizer({
      roles: cacheOf(rbacGroup, 'roles'),
      roleBindings: cacheOf(rbacGroup, 'rolebindings'),
      clusterRoles: cacheOf(rbacGroup, 'clusterroles'),
      clusterRoleBindings: cacheOf(rbacGroup, 'clusterrolebindings'),
    });
    const authorization = new Authorization([...this.#authorizers(), ...options.authorizers]);
    const { serviceAccounts } = options;
    const signing = serviceAccounts.signingKey === undefined ? undefined : signingKey(serviceAccounts.signingKey);
    const verifying = [...(signing ? [signing] : []), ...serviceAccounts.verifyingKeys.map(verifyingKey)];
    const apiAudiences = serviceAccounts.audiences ?? serviceAccounts.issuers;
    const tokens = new ServiceAccountTokens({
      issuers: serviceAccounts.issuers,
      apiAudiences,
      legacyUsed: (secret) => this.#legacyTokens.used(secret),
      signing,
      verifying,
      clock,
      random,
      caches: { serviceAccounts: cacheOf('', 'serviceaccounts'), pods: cacheOf('', 'pods'), secrets: cacheOf('', 'secrets'), nodes: cacheOf('', 'nodes') },
    });
    const authentication = new Authentication(this.#authenticators(tokens), apiAudiences, options.anonymous);
    const env: RestEnv = {
      clock,
      random,
      logger,
      feed: this.#feed,
      registry: this.registry,
      admission: new AdmissionChain(this.#admission(authorization)),
      eventLeases: new LeasePool(store, clock, options.eventTtlSeconds),
      hooks: builtInHooks({ registry: this.registry, ranges: this.#ranges, nodePorts: options.nodePorts, clock, random }),
      watchCounter: ({ userAgent, user }) => this.metrics.clients.of(userAgent, user).events,
      authorize: async (context, verb) => authorization.check(context, verb),
      minWatchSeconds: options.minRequestTimeoutSeconds ?? 1800,
    };
    const kubelets = new KubeletLocator(cacheOf('', 'nodes'), options.kubelet);
    const actions = actionHandlers(
      { rest: env, authentication, authorization, rbac: this.#rbac, tokens, apiAudiences, tokenLimits: options.serviceAccounts },
      kubelets,
      store,
    );
    this.#flowControl =
      options.priorityAndFairness === false
        ? undefined
        : new FlowControl({
            schemas: cacheOf(FLOW_CONTROL, 'flowschemas'),
            levels: cacheOf(FLOW_CONTROL, 'prioritylevelconfigurations'),
            clock,
            logger,
            totalSeats: options.maxRequestsInFlight + options.maxMutatingRequestsInFlight,
            sizeOf: ({ group, version, resource, namespace }) => {
              const cache = this.registry.find(group, version, resource)?.storage?.cache;
              return cache && { objects: namespace === '' ? cache.size : cache.countInNamespace(namespace), averageBytes: cache.averageBytes };
            },
          });
    this.#hooks = new StartHooks(this.#flowControl ? [] : ['priority-and-fairness-config-consumer']);
    const inFlight = new InFlight(options.maxRequestsInFlight, options.maxMutatingRequestsInFlight);
    const resources = new ResourceHandler({ env, actions, delegate: (context) => this.#aggregator.delegate(context) });
    const routed = new Counter({
      name: 'apiserver_coxswain_routed_requests_total',
      help: 'Requests that matched a route to another server, by what became of them.',
      labelNames: ['route', 'outcome'],
      registers: [this.metrics.registry],
    });
    const routes = new RouteRequests({
      routers: options.routers ?? [],
      registry: this.registry,
      clock,
      random,
      logger,
      ...(options.proxyClient ? { proxyClient: options.proxyClient } : {}),
      onRouted: (route, outcome) => routed.inc({ route, outcome }),
    });
    const { hostname = machineName() } = options;
    this.#tracing = openTracing(options, serverIdentity(hostname));
    this.handler = new ApiHandler({
      clock,
      random,
      logger,
      authentication,
      authorization,
      inFlight,
      metrics: this.metrics,
      requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
      ...(this.#flowControl ? { flowControl: this.#flowControl } : {}),
      ...(this.#tracing ? { tracer: this.#tracing.tracer } : {}),
      ...(options.audit ? { audit: new AuditLog({ ...options.audit, now: () => clock.now() }) } : {}),
      paths: this.#paths(
        oidcPaths(serviceAccounts.issuers[0] ?? '', verifying, serviceAccounts.jwksUri ?? `https://${externalHost}:${options.port}/openid/v1/jwks`),
      ),
      resources: options.routers?.length
        ? (context) => routes.delegate(context, () => resources.handle(context)) ?? resources.handle(context)
        : (context) => resources.handle(context),
    });
    this.#crds = new CrdController({
      registry: this.registry,
      crds: cacheOf('apiextensions.k8s.io', 'customresourcedefinitions'),
      transport: this.transport(SELF),
      lookup,
      clock,
      logger,
      compileRules: ruleCheckOf,
      converterFor: (crd, apiVersion) => new WebhookConverter(crd, apiVersion, this.#webhooks, random),
    });
    this.#legacyTokens = new LegacyTokenTracking({ transport: this.transport(SELF), configMaps: cacheOf('', 'configmaps'), clock, logger });
    this.#identity = new IdentityLease({
      transport: this.transport(SELF),
      leases: cacheOf('coordination.k8s.io', 'leases'),
      clock,
      random,
      hostname,
    });
    this.#policyTypes = new PolicyTypeChecker({
      registry: this.registry,
      policies: cacheOf('admissionregistration.k8s.io', 'validatingadmissionpolicies'),
      transport: this.transport(SELF),
      lookup,
      clock,
      logger,
    });
    this.#aggregator = new Aggregator({
      registry: this.registry,
      apiServices: cacheOf('apiregistration.k8s.io', 'apiservices'),
      discovery: this.discovery,
      openApi: this.openApi,
      transport: this.transport(SELF),
      clock,
      random,
      logger,
      ...(options.proxyClient ? { proxyClient: options.proxyClient } : {}),
    });
    serverMetrics(this.metrics, this.registry, this.#feed, () => inFlight.counts);
    this.#http = new HttpServer({
      certificates: this.#withFrontProxy(options.tls),
      ...(options.tlsLimits ? { tls: options.tlsLimits } : {}),
      ...(options.http2MaxStreams ? { maxStreams: options.http2MaxStreams } : {}),
      ...(options.goawayChance ? { endsConnection: () => random.next() < (options.goawayChance as number) } : {}),
      host: options.host,
      port: options.port,
      clock,
      logger,
      handle: browserRules({ origins: options.corsAllowedOrigins ?? [], hsts: options.hstsDirectives ?? [] }, (request) => this.handler.handle(request)),
    });
  }

  get state$(): Observable<ComponentState> {
    return this.#cell.state$;
  }

  /** Known once started. */
  get port(): number {
    return this.#http.port;
  }

  /** The API for a component of this process, as this user; the same rules hold as over HTTPS. */
  transport(user: UserInfo): Transport {
    return inProcessTransport(this.handler, user);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#started) return;
    this.#cell.set('starting');
    this.#hooks.begin();
    try {
      await this.#feed.start(signal);
      this.#hooks.done('generic-apiserver-start-informers');
      this.registry.started();
      await this.#crds.start();
      this.#hooks.done('start-apiextensions-controllers', 'crd-informer-synced');
      await this.#http.listen();
      await this.#bootstrap();
      await this.#publish();
      this.#hooks.done('bootstrap-controller');
      await Promise.all([
        this.#identity.renew().then(() => this.#hooks.done('start-kube-apiserver-identity-lease-controller')),
        this.#identity.collect().then(() => this.#hooks.done('start-kube-apiserver-identity-lease-garbage-collector')),
        this.#legacyTokens.keep().then(() => this.#hooks.done('start-legacy-token-tracking-controller')),
      ]);
      await this.options.seed?.(this.transport(SELF), signal);
      this.#aggregator.start();
      this.#hooks.done('apiservice-registration-controller', 'kube-apiserver-autoregistration');
      this.#policyTypes.start();
      this.#flowControl?.maintain(this.transport(SELF));
      this.#hooks.done('priority-and-fairness-config-consumer');
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      await this.#feed.stop();
      await this.#http.close(AbortSignal.abort()).catch(() => {});
      throw error;
    }
    this.#every(TICK_MS, (n) => {
      for (const { cache } of this.registry.storages()) cache.groups.tick(n, this.#feed.revision);
    });
    this.#keep(SERVERS_INTERVAL_MS, () => this.#publishAgain(), 'the endpoints of the kubernetes service could not be kept');
    this.#keep(SERVERS_INTERVAL_MS, () => this.#legacyTokens.keep(), 'since when legacy tokens are tracked was not written down');
    const maintained = { transport: this.transport(SELF), registry: this.registry };
    this.#keep(FLOW_CONTROL_INTERVAL_MS, () => ensureFlowControl(maintained), 'what priority and fairness start with could not be kept');
    this.#keep(IDENTITY_INTERVAL_MS, () => this.#identity.renew(), "this server's identity lease was not renewed");
    this.#keep(IDENTITY_COLLECTION_MS, () => this.#identity.collect(), 'identity leases of servers that are gone were not deleted');
    if (this.options.compactionIntervalMs > 0) this.#every(this.options.compactionIntervalMs, this.#compactor());
    if (this.options.reloadTls) {
      const { reloadTls: read, tls: serving, logger } = this.options;
      this.#every(TLS_CHECK_MS, tlsReloader({ read, serving, logger, reload: (next) => this.#http.reload(this.#withFrontProxy(next)) }));
    }
    this.#started = true;
    this.#cell.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#cell.set('stopping');
    // Load balancers see /readyz fail and go elsewhere, before anybody is refused.
    if (this.options.shutdownDelayMs) await this.options.clock.sleep(this.options.shutdownDelayMs, deadline).catch(() => {});
    for (const cancel of this.#timers.splice(0)) cancel();
    // The others take it out of the Service at their next look.
    await Promise.race([this.#servers.release().catch(() => {}), this.options.clock.sleep(1000)]);
    const closed = this.#http.close(deadline);
    // Clients of ended watches come back to whoever serves next.
    for (const { cache } of this.registry.storages()) cache.groups.end();
    await closed;
    // Someone who does not answer must not keep the server.
    const late = new Promise((resolve) => (deadline.aborted ? resolve(undefined) : deadline.addEventListener('abort', resolve, { once: true })));
    await Promise.race([Promise.all([this.options.audit?.close?.(), this.#tracing?.exporter.close()]), late]);
    await this.#aggregator.stop();
    await this.#policyTypes.stop();
    await this.#crds.stop();
    this.#webhooks.close();
    await this.#feed.stop();
    this.#flowControl?.close();
    this.#rbac.close();
    this.#cell.set('stopped');
  }

  /** Keeps this server, and all others that are there, behind the `kubernetes` Service. */
  async #publish(): Promise<void> {
    const { advertiseAddress, logger, publishEndpoints = true } = this.options;
    if (!publishEndpoints) return;
    if (advertiseAddress.startsWith('127.') || advertiseAddress === '::1') {
      if (!this.#started) logger.warn('the advertised address is a loopback address: the kubernetes service gets no endpoints', { advertiseAddress });
      return;
    }
    const addresses = await this.#servers.renew();
    await publishServers({ transport: this.transport(SELF), registry: this.registry, securePort: this.port }, addresses);
  }

  async #publishAgain(): Promise<void> {
    const kubernetesIP = (this.#ranges[0] as IpRange).at(0);
    await ensureKubernetesService({ transport: this.transport(SELF), registry: this.registry, securePort: this.port, kubernetesIP });
    await this.#publish();
  }

  #bootstrap(): Promise<void> {
    const { options } = this;
    const { frontProxy, tls } = options;
    return bootstrap({
      transport: this.transport(SELF),
      registry: this.registry,
      hooks: this.#hooks,
      logger: options.logger,
      serviceRanges: options.serviceRanges,
      kubernetesIP: (this.#ranges[0] as IpRange).at(0),
      securePort: this.port,
      authentication: publishedAuthentication(tls.clientCA, frontProxy),
    });
  }

  #authenticators(tokens: ServiceAccountTokens): Authenticator[] {
    const { clock, frontProxy, tls, tokens: fixed, authenticators, bootstrapTokens } = this.options;
    return [
      ...(frontProxy ? [frontProxyAuthenticator(frontProxy, clock)] : []),
      certificateAuthenticator(clock, { clientCA: tls.clientCA, frontProxyCA: frontProxy?.ca }),
      ...(fixed.size > 0 ? [tokenFileAuthenticator(fixed)] : []),
      tokens,
      ...(bootstrapTokens ? [bootstrapTokenAuthenticator(this.registry.storage('', 'secrets').cache, clock)] : []),
      ...authenticators,
    ];
  }

  #authorizers(): Authorizer[] {
    const known: Record<Extract<ApiServerOptions['authorizationModes'][number], string>, () => Authorizer> = {
      Node: () => new NodeAuthorizer(this.registry),
      RBAC: () => this.#rbac,
      AlwaysAllow: () => ({ name: 'AlwaysAllow', authorize: () => ({ decision: 'allow' }) }),
      AlwaysDeny: () => ({ name: 'AlwaysDeny', authorize: () => ({ decision: 'no-opinion', reason: 'Everything is forbidden.' }) }),
    };
    return this.options.authorizationModes.map((mode) => (typeof mode === 'string' ? known[mode]() : mode));
  }

  #admission(authorization: Authorization): AdmissionPlugin[] {
    const { clock, random, admission, disabledAdmission, enabledAdmission = [], admissionSettings = {} } = this.options;
    const env = { registry: this.registry, authorization, clock, random };
    const standard = [
      ...builtInAdmission(env, this.#rbac, admissionSettings),
      mutatingPolicies(env),
      validatingPolicies(env),
      ...admissionWebhooks(env, this.#webhooks),
    ].filter(({ name }) => !disabledAdmission.includes(name));
    const extra = extraAdmission(env, admissionSettings).filter(({ name }) => enabledAdmission.includes(name));
    return [...standard, ...extra, ...admission];
  }

  #paths(oidc: PathHandler): PathHandler[] {
    const health = serverChecks({
      store: this.options.store,
      clock: this.options.clock,
      readyCheckTimeoutMs: this.options.readyCheckTimeoutMs ?? 2000,
      feedFailure: () => this.#feed.failure,
      cachesLoaded: () => this.#feed.revision > 0,
      startHooks: this.#hooks.checks,
      stopping: () => this.#cell.current.phase === 'stopping',
    });
    const list = () => listedPaths(this.discovery, { profiling: this.options.profiling ?? false, flags: this.options.flags !== undefined });
    return [
      { handle: (context) => this.#aggregator.paths.handle(context) },
      discoveryPaths(this.discovery),
      healthPaths(health),
      infoPaths(this.metrics, list),
      zPaths({ component: 'apiserver', ...(this.options.flags ? { flags: this.options.flags } : {}) }, list),
      ...(this.options.profiling ? [profilePaths] : []),
      openApiPaths(this.openApi, this.options.clock),
      oidc,
    ];
  }

  /** Certificates of authenticating proxies are asked for as those of clients are. */
  #withFrontProxy(certificates: ServingCertificates): ServingCertificates {
    const authorities = [certificates.clientCA, this.options.frontProxy?.ca].filter((pem) => pem !== undefined);
    return authorities.length > 0 ? { ...certificates, clientCA: authorities.join('\n') } : certificates;
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

  /** What is done again and again; when it fails, the next time is as good. */
  #keep(ms: number, run: () => Promise<void>, failed: string): void {
    this.#every(ms, () => {
      run().catch((err: unknown) => this.options.logger.warn(failed, { err }));
    });
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
