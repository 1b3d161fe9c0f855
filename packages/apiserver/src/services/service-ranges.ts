import type { KubeObject, ServiceCIDR } from '@coxswain/api';
import type { ResourceCache } from '../storage/resource-cache.js';
import { IpRange } from './ip-range.js';

/**
 * Where Services' addresses come from: the configured ranges, and those that ServiceCIDR objects add while the server runs. An added
 * range gives addresses once a controller calls it ready, and no new ones from the moment it is deleted.
 */
export class ServiceRanges {
  readonly #parsed = new Map<string, IpRange | undefined>();

  constructor(
    /** One of each family at most, the primary one first. */
    readonly configured: readonly IpRange[],
    private readonly cidrs: Pick<ResourceCache, 'values'>,
  ) {}

  /** Ranges of the family, the configured one first; none when the cluster has no addresses of that family. */
  of(family: string): readonly IpRange[] {
    const own = this.configured.find((range) => range.family === family);
    if (!own) return [];
    const out = new Map([[own.cidr, own]]);
    for (const { object } of this.cidrs.values()) {
      if (!isReady(object)) continue;
      for (const cidr of (object as ServiceCIDR).spec?.cidrs ?? []) {
        const range = this.#parse(cidr);
        if (range?.family === family && !out.has(range.cidr)) out.set(range.cidr, range);
      }
    }
    return [...out.values()];
  }

  #parse(cidr: string): IpRange | undefined {
    if (!this.#parsed.has(cidr)) {
      let range: IpRange | undefined;
      try {
        range = new IpRange(cidr);
      } catch {
        // A range without an address to give (10.0.0.1/32) is a valid object all the same.
      }
      this.#parsed.set(cidr, range);
    }
    return this.#parsed.get(cidr);
  }
}

const isReady = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp === undefined && ((object as ServiceCIDR).status?.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True');
