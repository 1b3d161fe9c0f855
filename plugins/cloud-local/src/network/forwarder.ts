import { Network, NotFoundError } from '@coxswain/linux';
import { type Clock, type Component, defineComponent, type Logger } from '@coxswain/sdk';
import { type Forwarding, forwardings } from './forwarding.js';
import { TargetHealth } from './health.js';

/** Marks our routes (rtm_protocol), so that those of load balancers that are gone are found. */
export const FORWARDER_PROTOCOL = 137;
const NO_SUCH_ROUTE = 3;

export interface ForwarderOptions {
  /** Of the cloud's records. */
  readonly folder: string;
  /** The link that targets are reached by. */
  readonly link: string;
  /** Where a node says whether it takes traffic, unless a Service has a health check of its own: kube-proxy's. */
  readonly healthPort: number;
  readonly intervalMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly network?: Network;
  readonly health?: TargetHealth;
}

/**
 * The load balancer of a cloud whose machines are hosts of this one: routes each address to a node that is healthy, whose kube-proxy takes
 * what arrives. A node keeps an address as long as it is healthy, so that connections last. Level-triggered: looks at records, health and
 * routes again and again. Routes stay when it stops.
 */
export function addressForwarder(options: ForwarderOptions): Component {
  const { clock, logger, intervalMs = 1000 } = options;
  const forwarder = new Forwarder(options);
  return defineComponent('address-forwarder', async () => {
    const stopping = new AbortController();
    const loop = (async () => {
      while (!stopping.signal.aborted) {
        await forwarder.look().catch((err: unknown) => logger.warn("load balancers' addresses could not be routed", { err }));
        await clock.sleep(intervalMs, stopping.signal).catch(() => {});
      }
    })();
    return async () => {
      stopping.abort();
      await loop;
    };
  });
}

export class Forwarder {
  readonly #network: Network;
  readonly #health: TargetHealth;

  constructor(private readonly options: ForwarderOptions) {
    this.#network = options.network ?? new Network();
    this.#health = options.health ?? new TargetHealth();
  }

  /** Once: every address leads where it should, and none is left that should not. */
  async look(): Promise<void> {
    const { folder, link: name, logger } = this.options;
    const link = await this.#network.findLink(name);
    if (!link) return;
    const records = (await forwardings(folder).list()).map(({ value }) => value);
    const ours = (await this.#network.routes(4)).filter((r) => r.protocol === FORWARDER_PROTOCOL && r.linkIndex === link.index);
    const now = new Map(ours.map(({ destination, gateway }) => [destination, gateway]));
    this.#health.nextRound();
    for (const record of records) {
      const destination = `${record.address}/32`;
      const gateway = await this.#choose(record, now.get(destination));
      if (gateway !== undefined && gateway !== now.get(destination)) {
        await this.#network.addRoute({ destination, gateway, link: link.index, protocol: FORWARDER_PROTOCOL }, { replace: true });
        logger.info('a load balancer leads to a node', { address: record.address, node: gateway });
      }
      if (gateway !== undefined) now.delete(destination);
    }
    for (const destination of now.keys()) {
      await this.#network.deleteRoute({ destination, link: link.index, protocol: FORWARDER_PROTOCOL }).catch(unlessGone);
    }
  }

  /** The node of now while it is healthy, else a healthy one; when none is, that of now: nobody is better off elsewhere. */
  async #choose({ address, targets, healthCheckPort = this.options.healthPort }: Forwarding, current: string | undefined): Promise<string | undefined> {
    const health = await Promise.all(targets.map((ip) => this.#health.isHealthy(ip, healthCheckPort)));
    const healthy = targets.filter((_, i) => health[i]);
    if (current !== undefined && (healthy.includes(current) || (healthy.length === 0 && targets.includes(current)))) return current;
    // By the address, so that several load balancers are not all on one node.
    const candidates = healthy.length > 0 ? healthy : targets;
    return candidates[Number(address.split('.')[3]) % Math.max(1, candidates.length)];
  }
}

function unlessGone(error: unknown): void {
  if (error instanceof NotFoundError || (error as { errno?: number }).errno === NO_SUCH_ROUTE) return;
  throw error;
}
