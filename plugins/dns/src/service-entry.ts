import type { EndpointSlice, Service } from '@coxswain/api';
import { isIPv4 } from 'node:net';
import { canonicalAddress, dashedAddress } from './address-name.js';

/** A host of a headless Service, by its name below the Service. */
export interface EndpointHost {
  readonly hostname: string;
  readonly addresses: string[];
  readonly ports: NamedPort[];
}

export interface NamedPort {
  readonly name: string;
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

export interface ServiceFacts {
  readonly kind: 'cluster-ip' | 'headless' | 'external-name';
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
  readonly externalName: string;
  readonly publishNotReady: boolean;
}

/** One Service and its slices, and the records they make. */
export class ServiceEntry {
  readonly #slices = new Map<string, EndpointSlice>();
  #facts: ServiceFacts | undefined;
  #hosts: Map<string, EndpointHost> | undefined;

  get facts(): ServiceFacts | undefined {
    return this.#facts;
  }

  get empty(): boolean {
    return this.#facts === undefined && this.#slices.size === 0;
  }

  setService(service: Service | undefined): void {
    this.#facts = service && factsOf(service);
    this.#hosts = undefined;
  }

  setSlice(name: string, slice: EndpointSlice | undefined): void {
    if (slice) this.#slices.set(name, slice);
    else this.#slices.delete(name);
    this.#hosts = undefined;
  }

  /** Ready hosts (all, where the Service publishes those not ready), by hostname. */
  hosts(): ReadonlyMap<string, EndpointHost> {
    this.#hosts ??= this.#collect();
    return this.#hosts;
  }

  /** Address and name, relative to the Service ('' is the Service itself), of every PTR record. */
  reverse(): { readonly address: string; readonly host: string }[] {
    if (this.#facts?.kind === 'cluster-ip') {
      return this.#facts.addresses.map((ip) => ({ address: canonicalAddress(ip), host: '' }));
    }
    if (this.#facts?.kind !== 'headless') return [];
    return [...this.hosts().values()].flatMap(({ hostname, addresses }) => addresses.map((ip) => ({ address: canonicalAddress(ip), host: hostname })));
  }

  #collect(): Map<string, EndpointHost> {
    const hosts = new Map<string, EndpointHost>();
    for (const slice of this.#slices.values()) {
      if (slice.addressType === 'FQDN') continue;
      const ports = (slice.ports ?? []).flatMap((p) => (p.port === undefined || p.port < 1 || p.port > 65_535 ? [] : [namedPort(p.name, p.protocol, p.port)]));
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false && !this.#facts?.publishNotReady) continue;
        const [address] = endpoint.addresses;
        if (address === undefined) continue;
        const hostname = (endpoint.hostname || dashedAddress(address)).toLowerCase();
        let host = hosts.get(hostname);
        if (!host) hosts.set(hostname, (host = { hostname, addresses: [], ports: [] }));
        if (!host.addresses.includes(address)) host.addresses.push(address);
        for (const port of ports) {
          const same = (p: NamedPort) => p.name === port.name && p.protocol === port.protocol && p.port === port.port;
          if (!host.ports.some(same)) host.ports.push(port);
        }
      }
    }
    return hosts;
  }
}

function factsOf({ spec = {} }: Service): ServiceFacts {
  const clusterIPs = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''];
  const kind = spec.type === 'ExternalName' ? 'external-name' : clusterIPs[0] === 'None' ? 'headless' : 'cluster-ip';
  return {
    kind,
    addresses: kind === 'cluster-ip' ? clusterIPs.filter((ip) => ip !== '') : [],
    ports: (spec.ports ?? []).map((p) => namedPort(p.name, p.protocol, p.port)),
    externalName: (spec.externalName ?? '').replace(/\.$/, ''),
    publishNotReady: spec.publishNotReadyAddresses ?? false,
  };
}

function namedPort(name: string | undefined, protocol: string | undefined, port: number): NamedPort {
  return { name: (name ?? '').toLowerCase(), protocol: (protocol ?? 'TCP').toLowerCase(), port };
}

export function family(address: string): 'A' | 'AAAA' {
  return isIPv4(address) ? 'A' : 'AAAA';
}
