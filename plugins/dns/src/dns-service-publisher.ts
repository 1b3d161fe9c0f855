import type { EndpointSlice, Service } from '@coxswain/api';
import { isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { CancelTimer, Clock, Logger } from '@coxswain/sdk';
import { isIPv6 } from 'node:net';

export const DNS_NAMESPACE = 'kube-system';
export const DNS_SERVICE = 'kube-dns';

export interface DnsServicePublisherOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clusterIP: string;
  readonly nodeName: string;
  /** Where this server is reached from pods and nodes. */
  readonly address: string;
  readonly port: number;
  /** Absent: metrics are not published. */
  readonly metricsPort: number | undefined;
}

const RETRY_MS = [200, 500, 1000, 2000, 5000, 15_000];

/**
 * Keeps the `kube-dns` Service, and this server's own EndpointSlice of it. Each server of a cluster has a slice of its own, so
 * several stand behind the one address. A `kube-dns` Service with a selector belongs to another DNS and is left alone.
 */
export class DnsServicePublisher {
  #timer: CancelTimer | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failed = 0;
  #stopped = false;
  #problem: string | undefined = 'not yet published';

  constructor(readonly options: DnsServicePublisherOptions) {}

  get sliceName(): string {
    return `${DNS_SERVICE}-${this.options.nodeName}`;
  }

  /** Why it is not published; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Look again soon: something of ours may have changed. */
  trigger(): void {
    if (this.#running) this.#again = true;
    else void this.publish();
  }

  /** One attempt, followed by more in the background until one succeeds. Never rejects. */
  publish(): Promise<void> {
    this.#timer?.();
    this.#timer = undefined;
    if (this.#stopped) return Promise.resolve();
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (this.#failed > 0) {
        this.#timer = this.options.clock.setTimeout(() => void this.publish(), RETRY_MS[Math.min(this.#failed, RETRY_MS.length) - 1] ?? 15_000);
      } else if (this.#again) {
        this.#again = false;
        void this.publish();
      }
    });
    return this.#running;
  }

  /** Take this server out of the Service. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    await this.#running;
    try {
      await this.options.client.api.endpointSlices(DNS_NAMESPACE).delete(this.sliceName, { signal });
    } catch (error) {
      if (!isNotFound(error)) this.options.logger.debug('could not take the DNS endpoint back', { err: error });
    }
  }

  async #attempt(): Promise<void> {
    try {
      this.#problem = await this.#ensureService();
      if (this.#problem === undefined) await this.#ensureSlice();
      else this.options.logger.warn('cluster DNS is not published', { reason: this.#problem });
      this.#failed = 0;
    } catch (error) {
      this.#failed++;
      this.#problem = (error as Error).message;
      if (!this.#stopped) this.options.logger.warn('publishing the DNS service failed; trying again', { err: error });
    }
  }

  async #ensureService(): Promise<string | undefined> {
    const services = this.options.client.api.services(DNS_NAMESPACE);
    const wanted = this.#service();
    const found = await orMissing(services.get(DNS_SERVICE));
    if (!found) {
      await orThere(services.create(wanted));
      return undefined;
    }
    if (Object.keys(found.spec?.selector ?? {}).length > 0) return `the Service ${DNS_NAMESPACE}/${DNS_SERVICE} selects pods: another DNS is installed`;
    if (found.spec?.clusterIP !== wanted.spec?.clusterIP) {
      return `the Service ${DNS_NAMESPACE}/${DNS_SERVICE} has the address ${found.spec?.clusterIP}, not ${this.options.clusterIP}; delete it to have it made again`;
    }
    if (samePorts(found.spec?.ports, wanted.spec?.ports)) return undefined;
    await services.update({ ...found, spec: { ...found.spec, ports: wanted.spec?.ports ?? [] } });
    return undefined;
  }

  async #ensureSlice(): Promise<void> {
    const slices = this.options.client.api.endpointSlices(DNS_NAMESPACE);
    const wanted = this.#slice();
    const found = await orMissing(slices.get(this.sliceName));
    if (!found) {
      await orThere(slices.create(wanted));
      return;
    }
    const same =
      JSON.stringify(found.endpoints?.map((e) => [e.addresses, e.conditions?.ready, e.hints?.forNodes])) ===
        JSON.stringify([[[this.options.address], true, [{ name: this.options.nodeName }]]]) &&
      samePorts(found.ports, wanted.ports) &&
      found.metadata.labels?.['kubernetes.io/service-name'] === DNS_SERVICE;
    if (same) return;
    const { endpoints, ports } = wanted;
    const labels = { ...found.metadata.labels, ...wanted.metadata.labels };
    await slices.update({ ...found, metadata: { ...found.metadata, labels }, endpoints: endpoints ?? [], ports: ports ?? [] });
  }

  #service(): Service {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: this.options.port },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: this.options.port },
      ...(this.options.metricsPort === undefined ? [] : [{ name: 'metrics', port: 9153, protocol: 'TCP', targetPort: this.options.metricsPort }]),
    ];
    const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' };
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: DNS_SERVICE, namespace: DNS_NAMESPACE, labels },
      spec: { type: 'ClusterIP', clusterIP: this.options.clusterIP, clusterIPs: [this.options.clusterIP], ports },
    } as Service;
  }

  #slice(): EndpointSlice {
    const { address, port, metricsPort, nodeName } = this.options;
    const labels = { 'kubernetes.io/service-name': DNS_SERVICE, 'endpointslice.kubernetes.io/managed-by': 'dns.coxswain' };
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: this.sliceName, namespace: DNS_NAMESPACE, labels },
      addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
      // Each node asks its own server: no server's end, nor its host's, is felt elsewhere. Nodes without one ask all.
      endpoints: [
        { addresses: [address], conditions: { ready: true, serving: true, terminating: false }, nodeName, hints: { forNodes: [{ name: nodeName }] } },
      ],
      ports: [
        { name: 'dns', port, protocol: 'UDP' },
        { name: 'dns-tcp', port, protocol: 'TCP' },
        ...(metricsPort === undefined ? [] : [{ name: 'metrics', port: metricsPort, protocol: 'TCP' }]),
      ],
    };
  }
}

interface PortLike {
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: string | undefined;
}

function samePorts(a: readonly PortLike[] | undefined, b: readonly PortLike[] | undefined): boolean {
  const text = (ports: readonly PortLike[] = []) => JSON.stringify(ports.map((p) => [p.name ?? '', p.port, p.protocol ?? 'TCP']));
  return text(a) === text(b);
}

async function orMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Another server was faster: the next look compares. */
async function orThere(create: Promise<unknown>): Promise<void> {
  try {
    await create;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
