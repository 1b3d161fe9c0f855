import { join } from 'node:path';
import type { Node, Service } from '@coxswain/api';
import type { LoadBalancers, LoadBalancerStatus } from '@coxswain/sdk';
import type { AddressPool } from './network/address-pool.js';
import type { AddressCarrier } from './network/carrier.js';
import { JsonFolder } from './registry/json-folder.js';
import { Turns } from './registry/turns.js';

/** A load balancer as the cloud remembers it: an address that a Service has. */
interface Lease {
  readonly uid: string;
  readonly service: string;
  readonly address: string;
}

/**
 * Load balancers without a machine of their own: each Service has an address, which leads to nodes, where kube-proxy carries it on. The
 * record is written before the address is used and removed after it went: what a crash leaves is found by its record.
 */
export class LocalLoadBalancers implements LoadBalancers {
  readonly #leases: JsonFolder<Lease>;
  readonly #turns = new Turns();

  constructor(
    folder: string,
    private readonly pool: AddressPool,
    private readonly carrier: AddressCarrier,
  ) {
    this.#leases = new JsonFolder(join(folder, 'load-balancers'), parseLease);
  }

  async get(service: Service): Promise<LoadBalancerStatus | undefined> {
    const lease = await this.#leases.get(uidOf(service));
    return lease && status(lease);
  }

  ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus> {
    return this.#turns.take(async () => {
      const uid = uidOf(service);
      if (service.spec?.ipFamilies?.length === 1 && service.spec.ipFamilies[0] === 'IPv6')
        throw new Error('this cloud has IPv4 addresses only: spec.ipFamilies must include IPv4');
      const wanted = service.spec?.loadBalancerIP || undefined;
      let lease = await this.#leases.get(uid);
      if (lease && ((wanted !== undefined && wanted !== lease.address) || !this.pool.has(lease.address))) {
        const next = await this.#choose(uid, wanted);
        await this.#release(lease);
        lease = await this.#take(service, next);
      }
      lease ??= await this.#take(service, await this.#choose(uid, wanted));
      await this.carrier.carry(lease.address, nodes, service);
      return status(lease);
    });
  }

  ensureDeleted(service: Service): Promise<void> {
    return this.#turns.take(async () => {
      const lease = await this.#leases.get(uidOf(service));
      if (lease) await this.#release(lease);
    });
  }

  async #choose(uid: string, wanted: string | undefined): Promise<string> {
    const others = (await this.#leases.list()).map(({ value }) => value).filter((l) => l.uid !== uid);
    if (wanted !== undefined) {
      if (!this.pool.has(wanted)) throw new Error(`spec.loadBalancerIP ${wanted} is not in this cloud's pool ${this.pool.text}`);
      const owner = others.find((l) => l.address === wanted);
      if (owner) throw new Error(`spec.loadBalancerIP ${wanted} is in use by service ${owner.service}`);
      return wanted;
    }
    const address = this.pool.free(new Set(others.map((l) => l.address)));
    if (address === undefined)
      throw new Error(`no free address: all ${this.pool.size} of pool ${this.pool.text} are in use by other services of type LoadBalancer`);
    return address;
  }

  async #take(service: Service, address: string): Promise<Lease> {
    const lease: Lease = { uid: uidOf(service), service: `${service.metadata.namespace}/${service.metadata.name}`, address };
    await this.#leases.put(lease.uid, lease);
    return lease;
  }

  async #release(lease: Lease): Promise<void> {
    await this.carrier.drop(lease.address);
    await this.#leases.remove(lease.uid);
  }
}

const uidOf = (service: Service): string => service.metadata.uid ?? '';

const status = (lease: Lease): LoadBalancerStatus => ({ ingress: [{ ip: lease.address, ipMode: 'VIP' }] });

function parseLease(value: unknown): Lease {
  const { uid, service, address } = value as Lease;
  if (typeof uid !== 'string' || typeof service !== 'string' || typeof address !== 'string')
    throw new Error('a load balancer has a uid, a service and an address');
  return { uid, service, address };
}
