import type { OutgoingHttpHeaders } from 'node:http';
import { deepEqual, formatTime } from '@coxswain/apimachinery';
import type { Transport } from '@coxswain/client';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import type { Discovery, ForeignGroupVersion } from '../discovery/discovery.js';
import type { ForeignOpenApi, OpenApi } from '../openapi/open-api.js';
import { BackendConnections } from '../proxy/connections.js';
import { passThrough } from '../proxy/pass-through.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { textResponse } from '../request/api-request.js';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import type { ResourceCache } from '../storage/resource-cache.js';
import { LocalApiServices } from './local-api-services.js';
import { identityHeaders, RemoteApi } from './remote-api.js';
import type { ApiService, ProxyClient } from './remote-api.js';
import { aggregatedForm } from './remote-discovery.js';
import { RemoteOpenApi } from './remote-open-api.js';
import { failed, serviceProblem } from './service-problem.js';
import type { Verdict } from './service-problem.js';

const CHECK_TIMEOUT_MS = 5000;
const RECHECK_MS = 30_000;
const RETRY_MS = 3000;
const CALL_TIMEOUT_MS = 60_000;

export interface AggregatorOptions {
  readonly registry: ResourceRegistry;
  readonly apiServices: ResourceCache;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly proxyClient?: ProxyClient;
}

/** A group version another server answers. */
interface Remote {
  service: ApiService;
  resources: readonly object[];
  readonly openApi: RemoteOpenApi;
  readonly connections: BackendConnections;
  available: boolean;
  /** Why not. */
  message: string;
  cancel: () => void;
  checking: boolean;
}

/** Passes group versions on to the servers their APIServices name, as long as those answer, and announces them. */
export class Aggregator {
  /** By `group/version`. */
  readonly #remotes = new Map<string, Remote>();
  readonly #api: RemoteApi;
  readonly #locals: LocalApiServices;
  readonly #undo: (() => void)[] = [];
  #stopped = false;

  constructor(readonly options: AggregatorOptions) {
    this.#api = new RemoteApi(options.registry, options.clock, options.random, options.proxyClient);
    this.#locals = new LocalApiServices(options.registry, options.transport, options.logger);
  }

  start(): void {
    const { apiServices, registry } = this.options;
    this.#undo.push(
      apiServices.onEvent(({ type, object }) => {
        // Not in the middle of applying the event.
        queueMicrotask(() => this.#changed(type === 'DELETED' ? undefined : (object.object as ApiService), object.name));
      }),
      registry.onChange(() => queueMicrotask(() => this.#locals.sync())),
      // Services and their endpoints come and go: whoever is behind them is looked at when they do.
      registry.storage('', 'services').cache.onEvent(({ object }) => this.#lookAt(object.namespace, object.name)),
      registry.storage('discovery.k8s.io', 'endpointslices').cache.onEvent(({ object }) => {
        const name = object.object.metadata.labels?.['kubernetes.io/service-name'];
        if (name) this.#lookAt(object.namespace, name);
      }),
    );
    for (const { object, name } of apiServices.all()) this.#changed(object as ApiService, name);
    this.#locals.sync();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const undo of this.#undo.splice(0)) undo();
    for (const { cancel, connections } of this.#remotes.values()) {
      cancel();
      connections.dropIdle();
    }
    await this.#locals.stop();
  }

  #lookAt(namespace: string, name: string): void {
    for (const remote of this.#remotes.values()) {
      const service = remote.service.spec?.service;
      if (service?.name !== name || service.namespace !== namespace) continue;
      remote.connections.dropIdle();
      this.options.clock.setTimeout(() => void this.#check(remote), 0);
    }
  }

  /** For resource requests: undefined when the group version is answered here. */
  delegate(context: RequestContext): Promise<ApiResponse> | undefined {
    if (this.#remotes.size === 0) return undefined;
    const { group, version } = context.resource;
    const remote = this.#remotes.get(`${group}/${version}`);
    return remote ? this.#pass(context, remote, withQuery(context)) : undefined;
  }

  /** For /apis/{group}/{version} and its OpenAPI document. */
  get paths(): PathHandler {
    return {
      handle: (context) => {
        if (this.#remotes.size === 0) return undefined;
        const found = /^\/(?:openapi\/v3\/)?apis\/([^/]+)\/([^/]+)\/?$/.exec(context.info.path);
        const remote = found ? this.#remotes.get(`${found[1]}/${found[2]}`) : undefined;
        return remote ? this.#pass(context, remote, withQuery(context)) : undefined;
      },
    };
  }

  async #pass(context: RequestContext, remote: Remote, path: string): Promise<ApiResponse> {
    if (!remote.available) return unavailable();
    let backend: ReturnType<RemoteApi['backend']>;
    try {
      backend = this.#api.backend(remote.service, path, remote.connections);
    } catch {
      return unavailable();
    }
    const headers = identityHeaders(context.user);
    if (context.request.raw) {
      try {
        return await passThrough(context.request, backend, { headers, refuseRedirects: true });
      } catch (error) {
        // It may have gone since the last look: the next requests need not find out again.
        if (!context.request.signal.aborted) void this.#check(remote);
        throw error;
      }
    }
    // A caller in this process: the answer comes as a whole.
    const { accept, 'content-type': type, 'user-agent': agent } = context.request.headers as Record<string, string | undefined>;
    const body = await context.request.body();
    const out: OutgoingHttpHeaders = {
      ...headers,
      accept: accept ?? 'application/json',
      ...(type ? { 'content-type': type } : {}),
      ...(agent ? { 'user-agent': agent } : {}),
      host: `${backend.host}:${backend.port}`,
      'content-length': body.length,
    };
    const answer = await this.#api.fetch(backend, context.request.method, out, body, CALL_TIMEOUT_MS);
    return { type: 'bytes', status: answer.status, contentType: String(answer.headers['content-type'] ?? ''), body: answer.body };
  }

  #changed(service: ApiService | undefined, name: string): void {
    if (this.#stopped) return;
    const dot = name.indexOf('.');
    const key = `${name.slice(dot + 1)}/${name.slice(0, dot)}`;
    const known = this.#remotes.get(key);
    if (!service?.spec?.service) {
      if (!known) return;
      known.cancel();
      known.connections.dropIdle();
      this.#remotes.delete(key);
      this.#announce();
      this.#locals.sync();
      return;
    }
    const same = known && deepEqual(known.service.spec, service.spec);
    if (known) {
      known.service = service;
      if (!same) {
        known.connections.dropIdle();
        void this.#check(known);
      }
      return;
    }
    const remote: Remote = {
      service,
      resources: [],
      openApi: new RemoteOpenApi(this.#api),
      connections: new BackendConnections(),
      available: false,
      message: '',
      cancel: () => {},
      checking: false,
    };
    this.#remotes.set(key, remote);
    void this.#check(remote);
  }

  /** Ask the server whether it is there and what it serves; note the answer in the status, and come back later. */
  async #check(remote: Remote): Promise<void> {
    if (this.#stopped || remote.checking) return;
    remote.checking = true;
    remote.cancel();
    const { spec } = remote.service;
    const group = spec?.group ?? '';
    const version = spec?.version ?? '';
    let verdict: Verdict;
    try {
      verdict = await this.#probe(remote, group, version);
    } finally {
      remote.checking = false;
    }
    if (this.#stopped || this.#remotes.get(`${group}/${version}`) !== remote) return;
    remote.available = verdict.status === 'True';
    remote.message = verdict.message;
    this.#announce();
    await this.#note(remote.service, verdict).catch((err: unknown) => this.options.logger.warn('the status of an APIService was not written', { err }));
    remote.cancel = this.options.clock.setTimeout(() => void this.#check(remote), remote.available ? RECHECK_MS : RETRY_MS);
  }

  async #probe(remote: Remote, group: string, version: string): Promise<Verdict> {
    const problem = serviceProblem(this.options.registry, remote.service);
    if (problem) return problem;
    const path = `/apis/${group}/${version}`;
    let backend: ReturnType<RemoteApi['backend']>;
    try {
      backend = this.#api.backend(remote.service, path, remote.connections);
    } catch (error) {
      return failed('FailedDiscoveryCheck', (error as Error).message);
    }
    const url = `https://${backend.host}:${backend.port}${path}`;
    const headers = {
      ...identityHeaders({ name: 'system:kube-aggregator', groups: ['system:masters'] }),
      accept: 'application/json',
      host: `${backend.host}:${backend.port}`,
    };
    try {
      const { status, body } = await this.#api.fetch(backend, 'GET', headers, undefined, CHECK_TIMEOUT_MS);
      if (status < 200 || status > 299) return failed('FailedDiscoveryCheck', `failing or missing response from ${url}: bad status from ${url}: ${status}`);
      const list = JSON.parse(body.toString()) as { resources?: Parameters<typeof aggregatedForm>[2] };
      remote.resources = aggregatedForm(group, version, list.resources ?? []);
    } catch (error) {
      return failed('FailedDiscoveryCheck', `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${(error as Error).message}`);
    }
    await remote.openApi.refresh(backend, headers, `apis/${group}/${version}`);
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  }

  #announce(): void {
    const foreign: ForeignGroupVersion[] = [];
    const documents: ForeignOpenApi[] = [];
    for (const [key, { service, resources, available, openApi }] of this.#remotes) {
      const [group = '', version = ''] = key.split('/');
      const { groupPriorityMinimum, versionPriority } = service.spec ?? {};
      foreign.push({
        group,
        version,
        resources,
        freshness: available ? 'Current' : 'Stale',
        groupPriority: groupPriorityMinimum ?? 0,
        versionPriority: versionPriority ?? 0,
      });
      if (openApi.current && available) documents.push(openApi.current);
    }
    this.options.discovery.setForeign(foreign);
    this.options.openApi.setForeign(documents);
  }

  async #note(service: ApiService, verdict: Verdict): Promise<void> {
    const { transport, clock, apiServices } = this.options;
    const current = (apiServices.get('', service.metadata.name as string)?.object ?? service) as ApiService;
    const before = (current.status?.conditions ?? []) as { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    const old = before.find(({ type }) => type === 'Available');
    if (old && old.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message) return;
    const lastTransitionTime = old && old.status === verdict.status ? old.lastTransitionTime : formatTime(clock.now());
    const conditions = [...before.filter((each) => each !== old), { type: 'Available', ...verdict, lastTransitionTime }];
    await transport.request({
      method: 'PATCH',
      path: `/apis/apiregistration.k8s.io/v1/apiservices/${service.metadata.name}/status`,
      headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'kube-aggregator' },
      body: JSON.stringify({ status: { conditions } }),
    });
  }
}

/** As upstream says it: in plain text, which clients put into words of their own. */
const unavailable = (): ApiResponse => textResponse(503, 'service unavailable\n');

function withQuery({ request }: RequestContext): string {
  return request.search === '' ? request.path : `${request.path}?${request.search}`;
}
