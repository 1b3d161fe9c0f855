import type { EndpointSlice, Service } from '@coxswain/api';
import type { ServiceDelta, ServicePortSpec } from '@coxswain/sdk';
import { isProxied, type ProxyNode, SERVICE_NAME_LABEL, servicePorts } from './service-ports.js';

/** A Service's health check port, for load balancers that ask which nodes have endpoints. */
export interface HealthCheckService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

const keyOf = (o: Service | EndpointSlice, name = o.metadata.name): string => `${o.metadata.namespace}/${name}`;

/**
 * Services and their slices as last seen, and which Services changed since they were last asked for. Pure.
 * `take` looks at the changed ones only.
 */
export class ServiceTracker {
  private readonly services = new Map<string, Service>();
  private readonly slices = new Map<string, Map<string, EndpointSlice>>();
  private readonly dirty = new Set<string>();
  /** Specs handed out, by Service and then by port, as text to compare with. */
  private readonly given = new Map<string, Map<string, string>>();
  private readonly health = new Map<string, HealthCheckService>();

  private node: ProxyNode;

  constructor(nodeName: string) {
    this.node = { name: nodeName };
  }

  /** The zone the node is in; undefined: none that is known. */
  setZone(zone: string | undefined): void {
    if (zone === this.node.zone) return;
    this.node = { name: this.node.name, ...(zone === undefined ? {} : { zone }) };
    for (const key of this.services.keys()) this.dirty.add(key);
  }

  setService(service: Service): void {
    this.services.set(keyOf(service), service);
    this.dirty.add(keyOf(service));
  }

  deleteService(service: Service): void {
    this.services.delete(keyOf(service));
    this.dirty.add(keyOf(service));
  }

  setSlice(slice: EndpointSlice): void {
    const owner = slice.metadata.labels?.[SERVICE_NAME_LABEL];
    if (!owner) return;
    const key = keyOf(slice, owner);
    const all = this.slices.get(key) ?? new Map<string, EndpointSlice>();
    all.set(slice.metadata.name ?? '', slice);
    this.slices.set(key, all);
    this.dirty.add(key);
  }

  deleteSlice(slice: EndpointSlice): void {
    const owner = slice.metadata.labels?.[SERVICE_NAME_LABEL];
    if (!owner) return;
    const key = keyOf(slice, owner);
    const all = this.slices.get(key);
    all?.delete(slice.metadata.name ?? '');
    if (all?.size === 0) this.slices.delete(key);
    this.dirty.add(key);
  }

  get changed(): boolean {
    return this.dirty.size > 0;
  }

  /** What changed since the last `take`; ports with equal content are left out. */
  take(): ServiceDelta {
    const upsert: ServicePortSpec[] = [];
    const remove: string[] = [];
    for (const key of this.dirty) {
      const service = this.services.get(key);
      const specs = service ? servicePorts(service, [...(this.slices.get(key)?.values() ?? [])], this.node) : [];
      const before = this.given.get(key) ?? new Map<string, string>();
      const after = new Map<string, string>();
      for (const spec of specs) {
        const text = JSON.stringify(spec);
        after.set(spec.key, text);
        if (before.get(spec.key) !== text) upsert.push(spec);
      }
      for (const port of before.keys()) if (!after.has(port)) remove.push(port);
      if (after.size > 0) this.given.set(key, after);
      else this.given.delete(key);
      this.noteHealth(key, service, specs);
    }
    this.dirty.clear();
    return { upsert, remove };
  }

  /** The whole state, as if nothing had been taken yet. */
  all(): ServicePortSpec[] {
    this.given.clear();
    for (const key of this.services.keys()) this.dirty.add(key);
    return [...this.take().upsert];
  }

  healthChecks(): readonly HealthCheckService[] {
    return [...this.health.values()];
  }

  get serviceCount(): number {
    return this.given.size;
  }

  private noteHealth(key: string, service: Service | undefined, specs: readonly ServicePortSpec[]): void {
    const port = service?.spec?.healthCheckNodePort ?? 0;
    if (!service || port === 0 || service.spec?.externalTrafficPolicy !== 'Local' || !isProxied(service)) {
      this.health.delete(key);
      return;
    }
    const local = new Set(specs.flatMap((s) => s.endpoints.filter((e) => e.local && e.ready).map((e) => e.ip)));
    this.health.set(key, { namespace: service.metadata.namespace ?? '', name: service.metadata.name ?? '', port, localEndpoints: local.size });
  }
}
