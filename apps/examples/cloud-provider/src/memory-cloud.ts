import type { Node, Service } from '@coxswain/api';
import type { CloudProvider, InstanceMetadata, Instances, LoadBalancers, LoadBalancerStatus } from '@coxswain/sdk';

/** Machines that somebody lists, and addresses that nobody answers on. */
export class MemoryCloud implements CloudProvider {
  readonly name = 'memory';
  readonly #balancers = new Map<string, LoadBalancerStatus>();

  /** `machines`: address by name of the node; `addresses`: of load balancers. */
  constructor(
    readonly machines: Map<string, string>,
    private readonly addresses: readonly string[],
  ) {}

  readonly instances: Instances = {
    exists: async (node) => this.#nameOf(node) !== undefined,
    isShutdown: async () => false,
    metadata: async (node): Promise<InstanceMetadata | undefined> => {
      const name = this.#nameOf(node);
      const address = this.machines.get(name ?? '');
      return name && address ? { providerId: `memory://${name}`, instanceType: 'thought', addresses: [{ type: 'InternalIP', address }] } : undefined;
    },
  };

  readonly loadBalancers: LoadBalancers = {
    get: async (service) => this.#balancers.get(uid(service)),
    ensure: async (service) => {
      const found = this.#balancers.get(uid(service));
      if (found) return found;
      const taken = new Set([...this.#balancers.values()].map((status) => JSON.stringify(status)));
      const free = this.addresses.map((ip): LoadBalancerStatus => ({ ingress: [{ ip, ipMode: 'VIP' }] })).find((s) => !taken.has(JSON.stringify(s)));
      if (!free) throw new Error(`all ${this.addresses.length} addresses are in use`);
      this.#balancers.set(uid(service), free);
      return free;
    },
    ensureDeleted: async (service) => void this.#balancers.delete(uid(service)),
  };

  #nameOf(node: Node): string | undefined {
    const id = node.spec?.providerID ?? `memory://${node.metadata.name}`;
    const name = id.startsWith('memory://') ? id.slice('memory://'.length) : '';
    return this.machines.has(name) ? name : undefined;
  }
}

const uid = (service: Service): string => service.metadata.uid ?? '';
