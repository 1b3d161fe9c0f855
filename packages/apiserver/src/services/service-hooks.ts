import type { FieldError, KubeObject } from '@coxswain/api';
import { ApiError, cloneJson, formatTime } from '@coxswain/apimachinery';
import type { Clock, Compare, Random, StoreOp } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import type { Allocation, ResourceHooks } from '../rest/resource-hooks.js';
import { encodeForStore } from '../storage/stored-object.js';
import type { IpRange } from './ip-range.js';
import type { ServiceRanges } from './service-ranges.js';

const ADDRESSES = '/registry/ipaddresses/';
const PORTS = '/registry/ranges/servicenodeports/';
const HEADLESS = 'None';

interface Port {
  readonly name?: string;
  readonly protocol?: string;
  readonly port: number;
  nodePort?: number;
}

export interface ServiceHooksOptions {
  readonly ranges: ServiceRanges;
  readonly nodePorts: { readonly from: number; readonly to: number };
  readonly addresses: ResourceCache;
  readonly services: ResourceCache;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Cluster IPs and node ports. Each is claimed by a key of its own in the very transaction that writes the service (an IPAddress
 * object, as upstream; a record per port): two servers cannot give the same one, and a crash leaves no claim without its service.
 */
export class ServiceHooks implements ResourceHooks {
  /** Ports claimed, with the services' keys; follows the cache. */
  readonly #ports = new Map<number, string>();
  #loaded = false;

  constructor(readonly options: ServiceHooksOptions) {
    options.services.onEvent((event) => {
      if (event.previous) for (const port of nodePortsOf(event.previous.object)) this.#ports.delete(port);
      if (event.type !== 'DELETED') for (const port of nodePortsOf(event.object.object)) this.#ports.set(port, keyOf(event.object.object));
    });
  }

  beginCreate(_context: unknown, service: KubeObject): Allocation {
    service.spec ??= {};
    const asked = cloneJson(service.spec);
    this.#setFamilies(service, undefined);
    const { companions } = this.#allocate(service, undefined);
    // Claims exist only once the transaction succeeds; when it does not, the next round chooses anew.
    const release = () => {
      service.spec = asked;
    };
    return { companions, release };
  }

  beginUpdate(_context: unknown, service: KubeObject, old: KubeObject): Allocation {
    // An applied `spec: null` takes it away: what is missing is for the validation to say.
    const spec = (service.spec ??= {});
    // A client that does not know the allocated fields keeps them, as long as the type still has them.
    if (needsIP(service) && needsIP(old)) {
      if (!spec.clusterIP && old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP;
      if (!spec.clusterIPs?.length && old.spec.clusterIPs && spec.clusterIP === old.spec.clusterIP) spec.clusterIPs = old.spec.clusterIPs;
    }
    if (needsNodePorts(service) && needsNodePorts(old)) {
      const before = (old.spec.ports ?? []) as Port[];
      for (const port of (spec.ports ?? []) as Port[]) {
        if (port.nodePort) continue;
        const same = before.find((candidate) => candidate.port === port.port && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
        const taken = ((spec.ports ?? []) as Port[]).some((other) => other.nodePort !== undefined && other.nodePort === same?.nodePort);
        if (same?.nodePort && !taken) port.nodePort = same.nodePort;
      }
    }
    if (needsHealthCheckPort(service) && !spec.healthCheckNodePort && needsHealthCheckPort(old)) spec.healthCheckNodePort = old.spec.healthCheckNodePort;
    if (!needsIP(service)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      delete spec.ipFamilies;
      delete spec.ipFamilyPolicy;
    }
    if (!needsNodePorts(service) && needsNodePorts(old))
      for (const port of (spec.ports ?? []) as Port[]) if (nodePortsOf(old).includes(port.nodePort ?? 0)) delete port.nodePort;
    if (!needsHealthCheckPort(service)) delete spec.healthCheckNodePort;
    this.#setFamilies(service, old);
    return this.#allocate(service, old);
  }

  beginDelete(old: KubeObject) {
    const ops: StoreOp[] = [...ipsOf(old).map((ip) => release(`${ADDRESSES}${ip}`)), ...nodePortsOf(old).map((port) => release(`${PORTS}${port}`))];
    return { compare: [], ops };
  }

  #allocate(service: KubeObject, old: KubeObject | undefined): Allocation {
    const compare: Compare[] = [];
    const ops: StoreOp[] = [];
    const oldIPs = old ? ipsOf(old) : [];
    const oldPorts = old ? nodePortsOf(old) : [];
    if (needsIP(service)) this.#allocateIPs(service, oldIPs);
    const ips = ipsOf(service);
    for (const ip of ips) {
      if (oldIPs.includes(ip)) continue;
      compare.push({ key: `${ADDRESSES}${ip}`, target: 'mod', op: '=', operand: 0 });
      ops.push({ type: 'put', key: `${ADDRESSES}${ip}`, value: encodeForStore(this.#address(ip, service)) });
    }
    for (const ip of oldIPs) if (!ips.includes(ip)) ops.push(release(`${ADDRESSES}${ip}`));
    if (needsNodePorts(service)) this.#allocatePorts(service, oldPorts);
    const ports = nodePortsOf(service);
    const owner = Buffer.from(JSON.stringify({ service: keyOf(service) }));
    for (const port of ports) {
      if (oldPorts.includes(port)) continue;
      compare.push({ key: `${PORTS}${port}`, target: 'mod', op: '=', operand: 0 });
      ops.push({ type: 'put', key: `${PORTS}${port}`, value: owner });
    }
    for (const port of oldPorts) if (!ports.includes(port)) ops.push(release(`${PORTS}${port}`));
    return { companions: { compare, ops }, release: () => {} };
  }

  #setFamilies(service: KubeObject, old: KubeObject | undefined): void {
    const { spec } = service;
    if (!needsIP(service) && spec.clusterIP !== HEADLESS) return;
    const primary = (this.options.ranges.configured[0] as IpRange).family;
    // Without addresses of its own and without pods to select it says nothing of families: whoever writes its endpoints may use all.
    const open = spec.clusterIP === HEADLESS && Object.keys(spec.selector ?? {}).length === 0;
    if (!spec.ipFamilyPolicy) spec.ipFamilyPolicy = old?.spec?.ipFamilyPolicy ?? (open ? 'RequireDualStack' : 'SingleStack');
    if (open) {
      const [first = primary, second = first === 'IPv4' ? 'IPv6' : 'IPv4'] = (spec.ipFamilies ?? []) as string[];
      spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' && (spec.ipFamilies?.length ?? 0) < 2 ? [first] : [first, second];
      spec.clusterIPs = [HEADLESS];
      return;
    }
    if (!spec.ipFamilies?.length) {
      const given = spec.clusterIP && spec.clusterIP !== HEADLESS ? (spec.clusterIP as string) : undefined;
      const first = given ? (given.includes(':') ? 'IPv6' : 'IPv4') : (old?.spec?.ipFamilies?.[0] ?? primary);
      const other = this.options.ranges.configured.find((range) => range.family !== first);
      spec.ipFamilies = spec.ipFamilyPolicy !== 'SingleStack' && other ? [first, other.family] : [first];
    }
    if (spec.clusterIP === HEADLESS) spec.clusterIPs = [HEADLESS];
    if (spec.ipFamilyPolicy === 'RequireDualStack' && this.options.ranges.configured.length < 2) {
      throw invalid(service, [
        {
          type: 'FieldValueInvalid',
          field: 'spec.ipFamilyPolicy',
          message: 'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        },
      ]);
    }
  }

  #allocateIPs(service: KubeObject, own: readonly string[]): void {
    const { spec } = service;
    if (spec.clusterIP === HEADLESS) return;
    const wanted = (spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : []) as string[];
    const ips = (spec.ipFamilies as string[]).map((family, i) => {
      const ranges = this.options.ranges.of(family);
      const field = 'spec.clusterIPs';
      if (ranges.length === 0)
        throw invalid(service, [
          { type: 'FieldValueInvalid', field: `spec.ipFamilies[${i}]`, message: `Invalid value: ${JSON.stringify(family)}: not configured on this cluster` },
        ]);
      const ip = wanted[i];
      if (!ip) return this.#freeIP(ranges, service);
      // One that has an address keeps it: another is for the validation to refuse.
      if (own.includes(ip) || own[i] !== undefined) return ip;
      if (!ranges.some((range) => range.contains(ip))) {
        const why = `failed to allocate IP ${ip}: the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${ranges.map((range) => range.cidr).join(', ')}`;
        throw invalid(service, [{ type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(spec.clusterIPs ?? [ip])}: ${why}` }]);
      }
      if (this.options.addresses.get('', ip)) {
        throw invalid(service, [
          {
            type: 'FieldValueInvalid',
            field,
            message: `Invalid value: ${JSON.stringify(spec.clusterIPs ?? [ip])}: failed to allocate IP ${ip}: provided IP is already allocated`,
          },
        ]);
      }
      return ip;
    });
    spec.clusterIPs = ips;
    spec.clusterIP = ips[0];
  }

  #freeIP(ranges: readonly IpRange[], service: KubeObject): string {
    for (const range of ranges) {
      // The first address of a configured range is the API server's own service.
      const ip = this.#freeIn(range, this.options.ranges.configured.includes(range) ? 1 : 0);
      if (ip !== undefined) return ip;
    }
    throw ApiError.internalError(new Error(`failed to allocate a serviceIP for ${keyOf(service)}: range is full`));
  }

  /** Random, from the upper part first: the lower is left for addresses people choose, as upstream does. */
  #freeIn(range: IpRange, first: number): string | undefined {
    const { random, addresses } = this.options;
    const reserved = Math.min(Math.max(16, Math.floor(range.size / 16)), 256, Math.floor(range.size / 2));
    const parts = [
      [reserved, range.size - reserved],
      [first, Math.max(0, reserved - first)],
    ] as const;
    for (const [from, count] of parts) {
      if (count <= 0) continue;
      const start = random.int(count);
      for (let i = 0; i < count; i++) {
        const ip = range.at(from + ((start + i) % count));
        if (!addresses.get('', ip)) return ip;
      }
    }
    return undefined;
  }

  #allocatePorts(service: KubeObject, own: readonly number[]): void {
    this.#load();
    const { nodePorts, random } = this.options;
    const taken = new Set<number>();
    const ports = (service.spec.ports ?? []) as Port[];
    const allocate = service.spec.type !== 'LoadBalancer' || service.spec.allocateLoadBalancerNodePorts !== false;
    const claim = (wanted: number, field: string) => {
      if (own.includes(wanted) || taken.has(wanted)) return;
      const bad = (why: string) => invalid(service, [{ type: 'FieldValueInvalid', field, message: `Invalid value: ${wanted}: ${why}` }]);
      if (wanted < nodePorts.from || wanted > nodePorts.to)
        throw bad(`provided port is not in the valid range. The range of valid ports is ${nodePorts.from}-${nodePorts.to}`);
      if (this.#ports.has(wanted)) throw bad('provided port is already allocated');
    };
    const free = (): number => {
      const count = nodePorts.to - nodePorts.from + 1;
      const start = random.int(count);
      for (let i = 0; i < count; i++) {
        const port = nodePorts.from + ((start + i) % count);
        if (!this.#ports.has(port) && !taken.has(port)) return port;
      }
      throw ApiError.internalError(new Error(`failed to allocate a nodePort for ${keyOf(service)}: range is full`));
    };
    for (const [i, port] of ports.entries()) {
      if (!port.nodePort) continue;
      claim(port.nodePort, `spec.ports[${i}].nodePort`);
      taken.add(port.nodePort);
    }
    if (allocate) {
      for (const port of ports) {
        if (port.nodePort) continue;
        // The same number for TCP and UDP of one port (DNS).
        const twin = ports.find(
          (other) => other !== port && other.port === port.port && other.nodePort && (other.protocol ?? 'TCP') !== (port.protocol ?? 'TCP'),
        );
        port.nodePort = twin?.nodePort ?? free();
        taken.add(port.nodePort);
      }
    }
    if (!needsHealthCheckPort(service)) return;
    if (service.spec.healthCheckNodePort) claim(service.spec.healthCheckNodePort as number, 'spec.healthCheckNodePort');
    else service.spec.healthCheckNodePort = free();
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    for (const stored of this.options.services.values()) for (const port of nodePortsOf(stored.object)) this.#ports.set(port, keyOf(stored.object));
  }

  #address(ip: string, service: KubeObject): KubeObject {
    return {
      kind: 'IPAddress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: {
        name: ip,
        uid: this.options.random.uuid(),
        creationTimestamp: formatTime(this.options.clock.now()),
        labels: { 'ipaddress.kubernetes.io/ip-family': ip.includes(':') ? 'IPv6' : 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
      },
      spec: { parentRef: { group: '', resource: 'services', namespace: service.metadata.namespace, name: service.metadata.name } },
    };
  }
}

const release = (key: string): StoreOp => ({ type: 'delete', range: { key } });

const keyOf = (service: KubeObject): string => `${service.metadata.namespace}/${service.metadata.name}`;

const needsIP = (service: KubeObject): boolean => service.spec?.type !== 'ExternalName';

const needsNodePorts = (service: KubeObject): boolean => service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer';

const needsHealthCheckPort = (service: KubeObject): boolean => service.spec?.type === 'LoadBalancer' && service.spec?.externalTrafficPolicy === 'Local';

function ipsOf(service: KubeObject): string[] {
  if (!needsIP(service)) return [];
  const ips = (service.spec?.clusterIPs ?? (service.spec?.clusterIP ? [service.spec.clusterIP] : [])) as string[];
  return ips.filter((ip) => ip !== '' && ip !== HEADLESS);
}

function nodePortsOf(service: KubeObject): number[] {
  const ports = ((service.spec?.ports ?? []) as Port[]).flatMap((port) => port.nodePort || []);
  if (service.spec?.healthCheckNodePort) ports.push(service.spec.healthCheckNodePort as number);
  return [...new Set(ports)];
}

function invalid(service: KubeObject, errors: FieldError[]): ApiError {
  return ApiError.invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors);
}
