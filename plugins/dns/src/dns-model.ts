import type { EndpointSlice, Service } from '@coxswain/api';
import type { Answer } from 'dns-packet';
import { addressOfDashes, addressOfReverseName } from './address-name.js';
import { family, ServiceEntry } from './service-entry.js';
import type { NamedPort } from './service-entry.js';

/** The version of the Kubernetes DNS specification held to. */
export const SCHEMA_VERSION = '1.1.0';

export type Lookup =
  /** Not ours: ask somebody else. */
  | { readonly status: 'outside' }
  | { readonly status: 'no-name' }
  /** The name exists; without answers it has no records of that type. */
  | { readonly status: 'found'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  /** An ExternalName: the target has to be resolved too. */
  | { readonly status: 'alias'; readonly answer: Answer; readonly target: string };

export interface DnsModelOptions {
  /** Cluster domain, without a trailing dot. */
  readonly zone: string;
  /** Seconds that answers may be kept. */
  readonly ttl: number;
  /** Addresses of the cluster's DNS service, for the zone's name server record. */
  readonly serverAddresses: readonly string[];
}

const SERVICE_LABEL = 'kubernetes.io/service-name';
const NOTHING: Lookup = { status: 'found', answers: [], additionals: [] };
const NO_NAME: Lookup = { status: 'no-name' };

/**
 * The cluster's names, after the Kubernetes DNS specification. Kept by Service, EndpointSlice and Namespace events, each of
 * which costs what it changes; records are made when asked for. Pure.
 */
export class DnsModel {
  readonly zone: string;
  readonly #services = new Map<string, ServiceEntry>();
  readonly #sliceOwner = new Map<string, string>();
  readonly #namespaces = new Set<string>();
  /** Canonical address → full names. */
  readonly #reverse = new Map<string, Set<string>>();
  readonly #reverseOf = new Map<string, readonly { readonly address: string; readonly name: string }[]>();
  #serial = 1;

  constructor(readonly options: DnsModelOptions) {
    this.zone = options.zone.toLowerCase();
  }

  /** Grows with every change. */
  get serial(): number {
    return this.#serial;
  }

  setNamespace(name: string, exists: boolean): void {
    if (exists) this.#namespaces.add(name);
    else this.#namespaces.delete(name);
    this.#serial++;
  }

  setService(key: string, service: Service | undefined): void {
    this.#change(key, (entry) => entry.setService(service));
  }

  /** `key` is the slice's `namespace/name`. */
  setSlice(key: string, slice: EndpointSlice | undefined): void {
    const before = this.#sliceOwner.get(key);
    const name = slice?.metadata.labels?.[SERVICE_LABEL];
    const owner = name ? `${slice?.metadata.namespace ?? ''}/${name}` : undefined;
    if (before !== undefined && before !== owner) this.#change(before, (entry) => entry.setSlice(key, undefined));
    if (owner === undefined) {
      this.#sliceOwner.delete(key);
      return;
    }
    this.#sliceOwner.set(key, owner);
    this.#change(owner, (entry) => entry.setSlice(key, slice));
  }

  /** `name` in any case, without a trailing dot. */
  lookup(name: string, type: string): Lookup {
    const lower = name.toLowerCase();
    if (lower === this.zone) return this.#apex(name, type);
    if (lower.endsWith(`.${this.zone}`)) {
      return this.#inZone(name, lower.slice(0, -this.zone.length - 1).split('.'), type);
    }
    const address = addressOfReverseName(lower);
    const names = address === undefined ? undefined : this.#reverse.get(address);
    if (!names) return { status: 'outside' };
    return type === 'PTR' ? found([...names].sort().map((data) => this.#record(name, 'PTR', data))) : NOTHING;
  }

  /** The authority record of negative answers. Its minimum is how long they may be kept (RFC 2308). */
  soa(): Answer {
    const { ttl } = this.options;
    return {
      type: 'SOA',
      name: this.zone,
      ttl,
      data: {
        mname: `ns.dns.${this.zone}`,
        rname: `hostmaster.${this.zone}`,
        serial: this.#serial >>> 0,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: ttl,
      },
    };
  }

  #change(key: string, change: (entry: ServiceEntry) => void): void {
    let entry = this.#services.get(key);
    if (!entry) this.#services.set(key, (entry = new ServiceEntry()));
    change(entry);
    this.#serial++;
    for (const { address, name } of this.#reverseOf.get(key) ?? []) {
      const names = this.#reverse.get(address);
      names?.delete(name);
      if (names?.size === 0) this.#reverse.delete(address);
    }
    const [namespace, service] = key.split('/');
    const base = `${service}.${namespace}.svc.${this.zone}`;
    const reverse = entry.reverse().map(({ address, host }) => ({ address, name: host === '' ? base : `${host}.${base}` }));
    for (const { address, name } of reverse) {
      const names = this.#reverse.get(address);
      if (names) names.add(name);
      else this.#reverse.set(address, new Set([name]));
    }
    if (reverse.length > 0) this.#reverseOf.set(key, reverse);
    else this.#reverseOf.delete(key);
    if (entry.empty) this.#services.delete(key);
  }

  #apex(name: string, type: string): Lookup {
    if (type === 'SOA') return found([{ ...this.soa(), name } as Answer]);
    if (type === 'NS') return found([this.#record(name, 'NS', `ns.dns.${this.zone}`)], this.#server(`ns.dns.${this.zone}`));
    return NOTHING;
  }

  #server(name: string): Answer[] {
    return this.options.serverAddresses.map((ip) => this.#record(name, family(ip), ip));
  }

  #inZone(name: string, labels: readonly string[], type: string): Lookup {
    const last = labels.at(-1);
    if (last === 'dns-version' && labels.length === 1) {
      return type === 'TXT' ? found([this.#record(name, 'TXT', SCHEMA_VERSION)]) : NOTHING;
    }
    if (last === 'dns') {
      if (labels.length === 1) return NOTHING;
      return labels.length === 2 && labels[0] === 'ns' ? ofType(this.#server(name), type) : NO_NAME;
    }
    if (last !== 'svc' && last !== 'pod') return NO_NAME;
    if (labels.length === 1) return NOTHING;
    const namespace = labels.at(-2) as string;
    if (labels.length === 2) return this.#namespaces.has(namespace) ? NOTHING : NO_NAME;
    return last === 'pod' ? this.#pod(name, namespace, labels.slice(0, -2), type) : this.#service(name, namespace, labels.slice(0, -2), type);
  }

  #pod(name: string, namespace: string, labels: readonly string[], type: string): Lookup {
    const address = labels.length === 1 ? addressOfDashes(labels[0] as string) : undefined;
    if (address === undefined || !this.#namespaces.has(namespace)) return NO_NAME;
    return ofType([this.#record(name, family(address), address)], type);
  }

  #service(name: string, namespace: string, labels: readonly string[], type: string): Lookup {
    const service = labels.at(-1) as string;
    const entry = this.#services.get(`${namespace}/${service}`);
    const facts = entry?.facts;
    if (!entry || !facts) return NO_NAME;
    const base = `${service}.${namespace}.svc.${this.zone}`;
    if (facts.kind === 'external-name') {
      if (labels.length > 1) return NO_NAME;
      const answer = this.#record(name, 'CNAME', facts.externalName);
      return type === 'CNAME' ? found([answer]) : { status: 'alias', answer, target: facts.externalName };
    }
    const hosts = [...entry.hosts().values()];
    // Specification 2.4.1: a headless Service without ready endpoints has no name.
    if (facts.kind === 'headless' && hosts.length === 0) return NO_NAME;
    const [first = '', second = ''] = labels;
    switch (labels.length) {
      case 1: {
        if (type === 'SRV') return this.#srv(name, base, entry, () => true);
        const addresses = facts.kind === 'headless' ? hosts.flatMap((h) => h.addresses) : facts.addresses;
        return ofType(
          addresses.map((ip) => this.#record(name, family(ip), ip)),
          type,
        );
      }
      case 2: {
        const host = entry.hosts().get(first);
        if (host)
          return ofType(
            host.addresses.map((ip) => this.#record(name, family(ip), ip)),
            type,
          );
        return this.#ports(entry).some((p) => p.name !== '' && `_${p.protocol}` === first) ? NOTHING : NO_NAME;
      }
      case 3: {
        if (!first.startsWith('_') || !second.startsWith('_')) return NO_NAME;
        const wanted = (p: NamedPort) => p.name !== '' && p.name === first.slice(1) && p.protocol === second.slice(1);
        if (!this.#ports(entry).some(wanted)) return NO_NAME;
        return type === 'SRV' ? this.#srv(name, base, entry, wanted) : NOTHING;
      }
      default:
        return NO_NAME;
    }
  }

  #ports(entry: ServiceEntry): readonly NamedPort[] {
    return entry.facts?.kind === 'headless' ? [...entry.hosts().values()].flatMap((h) => h.ports) : (entry.facts?.ports ?? []);
  }

  /** Named ports only, with the addresses of their targets as additional records. */
  #srv(name: string, base: string, entry: ServiceEntry, wanted: (port: NamedPort) => boolean): Lookup {
    const headless = entry.facts?.kind === 'headless';
    const targets = headless
      ? [...entry.hosts().values()].map((h) => ({ target: `${h.hostname}.${base}`, ports: h.ports, addresses: h.addresses }))
      : [{ target: base, ports: entry.facts?.ports ?? [], addresses: entry.facts?.addresses ?? [] }];
    const answers: { target: string; port: number }[] = [];
    const additionals: Answer[] = [];
    for (const { target, ports, addresses } of targets) {
      const chosen = ports.filter((p) => p.name !== '' && wanted(p));
      if (chosen.length === 0) continue;
      for (const { port } of chosen) answers.push({ target, port });
      additionals.push(...addresses.map((ip) => this.#record(target, family(ip), ip)));
    }
    const weight = Math.max(1, Math.floor(100 / Math.max(1, answers.length)));
    return found(
      answers.map(({ target, port }) => this.#record(name, 'SRV', { priority: 0, weight, port, target })),
      additionals,
    );
  }

  #record(name: string, type: 'A' | 'AAAA' | 'PTR' | 'NS' | 'CNAME' | 'TXT' | 'SRV', data: unknown): Answer {
    return { name, type, class: 'IN', ttl: this.options.ttl, data } as Answer;
  }
}

function found(answers: readonly Answer[], additionals: readonly Answer[] = []): Lookup {
  return { status: 'found', answers, additionals };
}

function ofType(records: readonly Answer[], type: string): Lookup {
  return found(records.filter((r) => r.type === type));
}
