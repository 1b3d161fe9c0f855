import { readFileSync } from 'node:fs';
import { lookupSchema } from '@coxswain/api';
import { clientConfig, HttpsTransport, KubeClient, parseKubeconfig } from '@coxswain/client';
import { createCa, issueCertificate } from '@coxswain/pki';
import {
  KUBERNETES_VERSION,
  type ApiServerDefinition,
  type Authorizer,
  type Clock,
  type ComponentRun,
  type CustomApiServer,
  type Logger,
  type Random,
  RunsComponent,
  type ServeApiOptions,
} from '@coxswain/sdk';
import { Announcement } from './announcement.js';
import { CustomPipeline } from './custom-pipeline.js';
import { DelegatedAuthentication } from './delegated-authentication.js';
import { accessReviewAuthorizer } from '../auth/webhook/access-review-authorizer.js';
import { ReviewClient } from '../auth/webhook/review-client.js';
import { HttpServer } from '../http/http-server.js';

export interface CustomServerEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const TTL_MS = 10_000;
const TIMEOUT_MS = 10_000;
const TAKE_BACK_MS = 2000;
const CERTIFICATE_MS = 365 * 24 * 3_600_000;
const DEFAULT_GROUP_PRIORITY = 1000;
const DEFAULT_VERSION_PRIORITY = 100;
const OPEN_PATHS = /^\/(healthz|livez|readyz)(\/|$)/;

/** Health is nobody's secret: probes have no credentials. */
const openPaths: Authorizer = {
  name: 'open-paths',
  authorize: ({ target }) => ({ decision: target.type === 'path' && OPEN_PATHS.test(target.path) ? 'allow' : 'no-opinion' }),
};

/** A custom API server made of definitions: the primary's pipeline, with authentication and authorization delegated to the primary. */
export class CustomServer extends RunsComponent<Running> implements CustomApiServer {
  readonly name: string;
  readonly groupVersions: CustomApiServer['groupVersions'];

  constructor(
    readonly definitions: readonly ApiServerDefinition[],
    readonly options: ServeApiOptions,
    readonly env: CustomServerEnv,
  ) {
    super();
    this.name = (definitions[0] as ApiServerDefinition).name;
    this.groupVersions = definitions.map(({ group, version, groupPriorityMinimum, versionPriority }) => ({
      group,
      version,
      groupPriorityMinimum: groupPriorityMinimum ?? DEFAULT_GROUP_PRIORITY,
      versionPriority: versionPriority ?? DEFAULT_VERSION_PRIORITY,
    }));
  }

  get endpoint(): CustomApiServer['endpoint'] {
    if (!this.running) throw new Error(`${this.name} does not run`);
    return this.running.endpoint;
  }

  protected makeRun(): Running {
    return new Running(this);
  }
}

/** What lives between one `start` and its `stop`. */
class Running implements ComponentRun {
  readonly #client: KubeClient;
  readonly #authentication: DelegatedAuthentication;
  readonly #pipeline: CustomPipeline;
  #http: HttpServer | undefined;
  #announcement: Announcement | undefined;
  #tls: NonNullable<ServeApiOptions['tls']> | undefined;
  #authorities: string | undefined;

  constructor(readonly server: CustomServer) {
    const { definitions, options, env, name } = server;
    const { clock, random } = env;
    const logger = env.logger.child({ component: name });
    const userAgent = `${name}/${KUBERNETES_VERSION}`;
    const { transport } = clientConfig(parseKubeconfig(readFileSync(options.kubeconfig, 'utf8'), options.kubeconfig), { clock });
    this.#client = new KubeClient({ transport: new HttpsTransport(transport), userAgent, clock });
    this.#authentication = new DelegatedAuthentication({
      client: this.#client,
      userAgent,
      clock,
      random,
      logger,
      onAuthorities: (pem) => {
        this.#authorities = pem;
        if (this.#tls) this.#http?.reload({ cert: this.#tls.cert, key: this.#tls.key, clientCA: pem });
      },
    });
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const reviews = new ReviewClient({ transport: this.#client.rest.transport, path, userAgent, timeoutMs: TIMEOUT_MS, clock, random });
    const ttl = { authorizedTtlMs: TTL_MS, unauthorizedTtlMs: TTL_MS };
    this.#pipeline = new CustomPipeline({
      definitions,
      ...(options.store ? { store: options.store } : {}),
      lookup: lookupSchema,
      authenticator: this.#authentication.authenticator,
      authorizers: [
        openPaths,
        accessReviewAuthorizer({ name: 'access-review', client: reviews, version: 'v1', ...ttl, failurePolicy: 'NoOpinion', clock, logger }),
      ],
      admission: options.admission ?? [],
      client: this.#client,
      checks: [
        { name: 'announced', check: () => this.#announcement?.problem },
        ...Object.entries(options.checks ?? {}).map(([name, check]) => ({ name, check })),
      ],
      env: { clock, random, logger },
    });
  }

  get endpoint(): CustomApiServer['endpoint'] {
    const { address } = this.server.options;
    return { url: `https://${address.includes(':') ? `[${address}]` : address}:${this.#http?.port}`, caBundle: this.#tls?.ca ?? '' };
  }

  async start(signal: AbortSignal): Promise<void> {
    const { options, env, groupVersions } = this.server;
    const [tls] = await Promise.all([this.#certificate(), this.#authentication.start(signal), this.#pipeline.start(signal)]);
    this.#tls = tls;
    const { clock, logger } = env;
    this.#http = new HttpServer({
      certificates: { cert: tls.cert, key: tls.key, ...(this.#authorities ? { clientCA: this.#authorities } : {}) },
      host: options.address,
      port: options.port ?? 0,
      clock,
      logger,
      handle: (request) => this.#pipeline.handle(request),
    });
    await this.#http.listen();
    if (!options.announce) return;
    const { namespace } = options.announce;
    const service = this.#service;
    this.#announcement = new Announcement({
      client: this.#client,
      clock,
      logger,
      namespace,
      service,
      instance: options.announce.instance ?? service,
      ...(options.announce.nodeName === undefined ? {} : { nodeName: options.announce.nodeName }),
      address: options.announce.address ?? options.address,
      port: this.#http.port,
      caBundle: tls.ca,
      groupVersions,
    });
    await this.#announcement.publish();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#announcement) {
      const limit = new AbortController();
      const cancel = this.server.env.clock.setTimeout(() => limit.abort(), TAKE_BACK_MS);
      await this.#announcement.stop(AbortSignal.any([deadline, limit.signal]));
      cancel();
    }
    const closed = this.#http?.close(deadline);
    this.#pipeline.end();
    await closed?.catch(() => {});
    await this.#pipeline.stop();
    await this.#authentication.stop();
    await this.#client.close();
  }

  get #service(): string {
    return this.server.options.announce?.service ?? this.server.name;
  }

  async #certificate(): Promise<NonNullable<ServeApiOptions['tls']>> {
    const { options, env } = this.server;
    if (options.tls) return options.tls;
    const now = env.clock.now();
    const namespace = options.announce?.namespace ?? 'default';
    const ca = await createCa(`${this.server.name}-ca`, now, CERTIFICATE_MS);
    const leaf = await issueCertificate(ca, {
      usage: 'server',
      subject: { commonName: `${this.#service}.${namespace}.svc` },
      dnsNames: [`${this.#service}.${namespace}.svc`, `${this.#service}.${namespace}`],
      ipAddresses: [...new Set([options.address, options.announce?.address ?? options.address])],
      now,
      validForMs: CERTIFICATE_MS,
    });
    return { cert: leaf.cert, key: leaf.key, ca: ca.cert };
  }
}
