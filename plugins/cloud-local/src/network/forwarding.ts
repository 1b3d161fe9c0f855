import { join } from 'node:path';
import type { Node, Service } from '@coxswain/api';
import { JsonFolder } from '../registry/json-folder.js';
import { type AddressCarrier, internalIPs } from './carrier.js';

/** Where traffic for a load balancer's address may go. */
export interface Forwarding {
  readonly address: string;
  /** IPv4 addresses of nodes; whether one answers at the moment is for the forwarder to find out. */
  readonly targets: readonly string[];
  /** The Service's own health check on its nodes: with `externalTrafficPolicy: Local` only those with endpoints take traffic. */
  readonly healthCheckPort?: number;
}

export const forwardings = (folder: string): JsonFolder<Forwarding> => new JsonFolder(join(folder, 'forwarding'), parseForwarding);

/** For controllers that do not run on the machine that answers: they write down where traffic is to go, and its `addressForwarder` reads it. */
export class ForwardingRecords implements AddressCarrier {
  readonly #records: JsonFolder<Forwarding>;

  constructor(folder: string) {
    this.#records = forwardings(folder);
  }

  async carry(address: string, nodes: readonly Node[], service: Service): Promise<void> {
    const healthCheckPort = service.spec?.externalTrafficPolicy === 'Local' ? service.spec.healthCheckNodePort : undefined;
    const record = { address, targets: nodes.flatMap(internalIPs), ...(healthCheckPort ? { healthCheckPort } : {}) };
    if (JSON.stringify(await this.#records.get(address)) !== JSON.stringify(record)) await this.#records.put(address, record);
  }

  drop(address: string): Promise<void> {
    return this.#records.remove(address);
  }
}

function parseForwarding(value: unknown): Forwarding {
  const { address, targets, healthCheckPort } = value as Forwarding;
  if (typeof address !== 'string' || !Array.isArray(targets)) throw new Error('a forwarding has an address and targets');
  return { address, targets, ...(typeof healthCheckPort === 'number' ? { healthCheckPort } : {}) };
}
