import type { ResourceDefinition } from '@coxswain/api';
import { compareVersions, formatGroupVersion } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { apiResources, aggregatedResources } from './discovery-resources.js';

/** A group version that something else serves: a CRD without resources yet, or another server (APIService). */
export interface ForeignGroupVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly object[];
  readonly freshness: 'Current' | 'Stale';
  /** Of its APIService: higher ones are announced first. Default 1000 and 100, as custom resources have it. */
  readonly groupPriority?: number;
  readonly versionPriority?: number;
}

/** The order groups are announced in; the rest follow by name. */
const GROUP_ORDER = [
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'resource.k8s.io',
];

/** The discovery documents, made from what is registered and made again when that changes. */
export class Discovery {
  readonly #documents = new Map<string, object>();
  #foreign: readonly ForeignGroupVersion[] = [];
  /** Bumped with every change; part of ETags. */
  generation = 0;

  constructor(
    readonly registry: ResourceRegistry,
    readonly serverAddress: () => string,
  ) {
    registry.onChange(() => this.#invalidate());
  }

  setForeign(groupVersions: readonly ForeignGroupVersion[]): void {
    this.#foreign = groupVersions;
    this.#invalidate();
  }

  /** GET /api */
  apiVersions(): object {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.serverAddress() }] };
  }

  /** GET /apis */
  groupList(): object {
    return this.#cached('groups', () => ({ kind: 'APIGroupList', apiVersion: 'v1', groups: this.groups().map((group) => this.#group(group)) }));
  }

  /** GET /apis/{group} */
  group(name: string): object | undefined {
    if (!this.groups().includes(name)) return undefined;
    return this.#cached(`group ${name}`, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...this.#group(name) }));
  }

  /** GET /api/v1, /apis/{group}/{version} */
  resourceList(group: string, version: string): object | undefined {
    const groupVersion = formatGroupVersion({ group, version });
    const served = this.#definitions(group, version);
    if (served.length === 0) return undefined;
    return this.#cached(`resources ${groupVersion}`, () => ({
      kind: 'APIResourceList',
      ...(group === '' ? {} : { apiVersion: 'v1' }),
      groupVersion,
      resources: served.flatMap((entry) => apiResources(entry)),
    }));
  }

  /** GET /api or /apis asked for as APIGroupDiscoveryList. */
  aggregated(core: boolean, version: string): object {
    return this.#cached(`aggregated ${core} ${version}`, () => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: (core ? [''] : this.groups()).map((group) => ({
        metadata: core ? {} : { name: group },
        versions: this.versions(group).map((v) => {
          const foreign = this.#foreign.find((entry) => entry.group === group && entry.version === v);
          const resources = foreign ? foreign.resources : this.#definitions(group, v).map((definition) => aggregatedResources(definition));
          return { version: v, resources, freshness: foreign?.freshness ?? 'Current' };
        }),
      })),
    }));
  }

  /** Named groups, in the order they are announced. */
  groups(): string[] {
    const names = new Set<string>();
    for (const { definition } of this.registry.all()) if (definition.group !== '') names.add(definition.group);
    for (const { group } of this.#foreign) names.add(group);
    const rank = (name: string) => {
      const at = GROUP_ORDER.indexOf(name);
      return at < 0 ? GROUP_ORDER.length : at;
    };
    const priority = (name: string) =>
      Math.max(...this.#foreign.filter(({ group }) => group === name).map(({ groupPriority }) => groupPriority ?? 1000), 0) || 1000;
    return [...names].sort((a, b) => rank(a) - rank(b) || priority(b) - priority(a) || (a < b ? -1 : 1));
  }

  /** Most preferred first. */
  versions(group: string): string[] {
    const names = new Set<string>();
    for (const { definition } of this.registry.all()) if (definition.group === group) names.add(definition.version);
    for (const entry of this.#foreign) if (entry.group === group) names.add(entry.version);
    const priority = (name: string) => this.#foreign.find((entry) => entry.group === group && entry.version === name)?.versionPriority ?? 100;
    return [...names].sort((a, b) => priority(b) - priority(a) || compareVersions(a, b));
  }

  #group(name: string): object {
    const versions = this.versions(name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions, preferredVersion: versions[0] };
  }

  #definitions(group: string, version: string): ResourceDefinition[] {
    return this.registry
      .all()
      .map((served: ServedResource) => served.definition)
      .filter((definition) => definition.group === group && definition.version === version)
      .sort((a, b) => (a.resource < b.resource ? -1 : 1));
  }

  #cached(key: string, make: () => object): object {
    let document = this.#documents.get(key);
    if (!document) this.#documents.set(key, (document = make()));
    return document;
  }

  #invalidate(): void {
    this.#documents.clear();
    this.generation++;
  }
}
