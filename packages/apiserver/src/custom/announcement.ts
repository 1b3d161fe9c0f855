import type { APIService, EndpointSlice, Service } from '@coxswain/api';
import { deepEqual, isAlreadyExists, isConflict, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient, ResourceClient } from '@coxswain/client';
import type { Clock, CustomApiServer, Logger } from '@coxswain/sdk';
import type { KubeObject } from '@coxswain/api';
import { isIPv6 } from 'node:net';

export interface AnnouncementOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly service: string;
  /** Tells the slices of several servers of one Service apart. */
  readonly instance: string;
  /** The node it runs on, which asks no other server of the Service. */
  readonly nodeName?: string;
  readonly address: string;
  readonly port: number;
  readonly caBundle: string;
  readonly groupVersions: CustomApiServer['groupVersions'];
}

const SERVICE_PORT = 443;
const PORT_NAME = 'https';
const RETRY_MS = [200, 500, 1000, 2000, 5000];
const AGAIN_MS = 60_000;

/**
 * Keeps what makes a server known to the primary: a Service, this server's EndpointSlice of it, and an APIService per group version.
 * A Service that selects pods, and APIServices of other Services, belong to somebody else and are left alone.
 */
export class Announcement {
  #cancel: (() => void) | undefined;
  #attempt: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;
  #problem: string | undefined = 'not yet announced';

  constructor(readonly options: AnnouncementOptions) {}

  /** Why it is not announced; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** One attempt; further ones follow by themselves, also now and then when all is well. Never rejects. */
  publish(): Promise<void> {
    this.#cancel?.();
    if (this.#stopped) return Promise.resolve();
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = undefined;
      if (this.#stopped) return;
      const wait = this.#failures === 0 ? AGAIN_MS : (RETRY_MS[this.#failures - 1] ?? 5000);
      this.#cancel = this.options.clock.setTimeout(() => void this.publish(), wait);
    });
    return this.#attempt;
  }

  /** Takes this server's endpoints back; the APIServices stay, and are unavailable until somebody serves them again. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#attempt;
    const { client, namespace, logger } = this.options;
    try {
      await client.api.endpointSlices(namespace).delete(this.#sliceName, { signal });
    } catch (err) {
      if (!isNotFound(err)) logger.debug('the endpoints could not be taken back', { err });
    }
  }

  get #sliceName(): string {
    const { service, instance } = this.options;
    return instance === service ? service : `${service}-${instance}`;
  }

  async #try(): Promise<void> {
    const { client, namespace, groupVersions, logger } = this.options;
    try {
      const { services, endpointSlices, apiServices } = client.api;
      await this.#ensure(services(namespace), this.#service(), (found) => this.#foreignService(found), ['spec.ports']);
      await this.#ensure(endpointSlices(namespace), this.#slice(), () => undefined, ['endpoints', 'ports', 'metadata.labels']);
      for (const each of groupVersions) {
        const wanted = this.#apiService(each);
        await this.#ensure(apiServices(), wanted, (found) => this.#foreignApi(found), ['spec']);
      }
      this.#failures = 0;
      this.#problem = undefined;
    } catch (error) {
      this.#failures++;
      const { message } = error as Error;
      if (!this.#stopped && message !== this.#problem) logger.warn('the API server is not announced yet; trying again', { err: error });
      this.#problem = message;
    }
  }

  /** Make it, or bring the named parts to what they should be. */
  async #ensure<T extends KubeObject>(
    resource: ResourceClient<T>,
    wanted: T,
    foreign: (found: T) => string | undefined,
    parts: readonly string[],
  ): Promise<void> {
    const name = wanted.metadata.name as string;
    const found = await resource.get(name).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (!found) {
      await resource.create(wanted).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      return;
    }
    const problem = foreign(found);
    if (problem) throw new Error(problem);
    const next = structuredClone(found);
    let same = true;
    for (const part of parts) {
      const path = part.split('.');
      const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], wanted);
      const last = path.pop() as string;
      const holder = path.reduce((at, key) => ((at as Record<string, unknown>)[key] ??= {}) as object, next as object) as Record<string, unknown>;
      if (covers(holder[last], value)) continue;
      holder[last] = part === 'metadata.labels' ? { ...(holder[last] as object), ...(value as object) } : value;
      same = false;
    }
    if (same) return;
    await resource.update(next).catch((error: unknown) => {
      if (!isConflict(error)) throw error;
      throw new Error(`${wanted.kind} ${name} is being changed by somebody else`, { cause: error });
    });
  }

  #foreignService({ spec }: Service): string | undefined {
    const { namespace, service } = this.options;
    return Object.keys(spec?.selector ?? {}).length > 0 ? `the Service ${namespace}/${service} selects pods: another server is installed` : undefined;
  }

  #foreignApi({ metadata, spec }: APIService): string | undefined {
    const { namespace, service } = this.options;
    const of = spec?.service;
    if (of?.name === service && of.namespace === namespace) return undefined;
    return `the APIService ${metadata?.name} belongs to ${of ? `the Service ${of.namespace}/${of.name}` : 'the primary itself'}: delete it to have it made again`;
  }

  #service(): Service {
    const { namespace, service } = this.options;
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace, labels: { 'app.kubernetes.io/name': service, 'kubernetes.io/cluster-service': 'true' } },
      spec: { type: 'ClusterIP', ports: [{ name: PORT_NAME, port: SERVICE_PORT, protocol: 'TCP', targetPort: PORT_NAME }] },
    } as Service;
  }

  #slice(): EndpointSlice {
    const { namespace, service, address, port, nodeName } = this.options;
    const node = nodeName === undefined ? {} : { nodeName, hints: { forNodes: [{ name: nodeName }] } };
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: this.#sliceName,
        namespace,
        labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'api-server.coxswain' },
      },
      addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false }, ...node }],
      ports: [{ name: PORT_NAME, port, protocol: 'TCP' }],
    };
  }

  #apiService({ group, version, groupPriorityMinimum, versionPriority }: CustomApiServer['groupVersions'][number]): APIService {
    const { namespace, service, caBundle } = this.options;
    return {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        groupPriorityMinimum,
        versionPriority,
        service: { namespace, name: service, port: SERVICE_PORT },
        caBundle: Buffer.from(caBundle).toString('base64'),
      },
    } as APIService;
  }
}

/** Everything wanted is there; what the primary has added by default is as well. */
function covers(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return Array.isArray(found) && found.length === wanted.length && wanted.every((item, i) => covers(found[i], item));
  if (typeof wanted !== 'object' || wanted === null) return deepEqual(found, wanted);
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => covers((found as Record<string, unknown>)[key], value));
}
