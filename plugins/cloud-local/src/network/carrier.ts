import type { Node, Service } from '@coxswain/api';
import { Network, NotFoundError } from '@coxswain/linux';

/** Makes the machine answer on addresses. */
export interface AddressCarrier {
  /** Lead traffic for the address to these nodes; idempotent. */
  carry(address: string, nodes: readonly Node[], service: Service): Promise<void>;
  /** Idempotent. */
  drop(address: string): Promise<void>;
}

const RTN_UNICAST = 1;
const EXISTS = 17;
const NO_SUCH_ROUTE = 3;
const NO_SUCH_ADDRESS = 99;

/**
 * Where a node has the machine's own network, the address is added to a link of the cloud's, and the node's kube-proxy takes what
 * arrives there. Where nodes have networks of their own, the address is routed to one of them that is ready; its kube-proxy takes it.
 */
export class MachineCarrier implements AddressCarrier {
  /** `link`: of the cloud's own, made when needed; at most 15 characters. */
  constructor(
    private readonly link: string,
    private readonly network: Network = new Network(),
  ) {}

  async carry(address: string, nodes: readonly Node[]): Promise<void> {
    const targets = nodes.filter(isReady).flatMap(internalIPs);
    const own = new Set((await this.network.addresses()).map((a) => a.address));
    const gateway = targets.find((ip) => !own.has(ip));
    if (targets.length === 0) return this.drop(address);
    if (targets.some((ip) => own.has(ip)) || gateway === undefined) {
      await this.#dropRoute(address);
      await this.#ensureLink();
      await this.network.addAddress(this.link, `${address}/32`).catch(unless(EXISTS));
      return;
    }
    await this.#dropAddress(address);
    await this.network.addRoute({ destination: `${address}/32`, gateway }, { replace: true });
  }

  async drop(address: string): Promise<void> {
    await this.#dropAddress(address);
    await this.#dropRoute(address);
  }

  async #ensureLink(): Promise<void> {
    if (await this.network.findLink(this.link)) return;
    // A bridge without ports: a link that only holds addresses, on kernels without `dummy`, too.
    await this.network.createBridge({ name: this.link, up: true }).catch(unless(EXISTS));
    await this.network.setLink(this.link, { up: true });
  }

  async #dropAddress(address: string): Promise<void> {
    const link = await this.network.findLink(this.link);
    if (link) await this.network.deleteAddress(link.index, `${address}/32`).catch(unless(NO_SUCH_ADDRESS));
  }

  async #dropRoute(address: string): Promise<void> {
    const routes = await this.network.routes(4);
    const ours = routes.filter((r) => r.destination === `${address}/32` && r.type === RTN_UNICAST && r.gateway !== undefined);
    for (const { destination, gateway } of ours) await this.network.deleteRoute({ destination, gateway: gateway as string }).catch(unless(NO_SUCH_ROUTE));
  }
}

const isReady = (node: Node): boolean => node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;

export const internalIPs = (node: Node): string[] =>
  (node.status?.addresses ?? []).filter((a) => a.type === 'InternalIP' && !a.address.includes(':')).map((a) => a.address);

function unless(errno: number) {
  return (error: unknown) => {
    if (error instanceof NotFoundError || (error as { errno?: number }).errno === errno) return;
    throw error;
  };
}
