import { join } from 'node:path';
import { Network } from '@coxswain/linux';
import type { Route, Routes } from '@coxswain/sdk';
import { JsonFolder } from './registry/json-folder.js';

/** The routes of the machine, as far as the cloud needs them. */
export interface RouteTable {
  /** Idempotent. */
  add(destination: string, gateway: string): Promise<void>;
  /** Idempotent. */
  remove(destination: string, gateway: string): Promise<void>;
  isOwnAddress(address: string): Promise<boolean>;
}

/** Pod networks as routes of the machine that all hosts are connected to. A node with the machine's own network needs none: its bridge is there. */
export class LocalRoutes implements Routes {
  readonly #records: JsonFolder<Route>;

  constructor(
    folder: string,
    private readonly table: RouteTable = new MachineRouteTable(),
  ) {
    this.#records = new JsonFolder(join(folder, 'routes'), parseRoute);
  }

  async list(): Promise<readonly Route[]> {
    return (await this.#records.list()).map(({ value }) => value);
  }

  async create(route: Route): Promise<void> {
    const gateway = gatewayOf(route);
    if (gateway === undefined) throw new Error(`node ${route.targetNode} has no IPv4 address of type InternalIP`);
    const key = keyOf(route);
    const old = await this.#records.get(key);
    if (old && gatewayOf(old) !== gateway) await this.delete(old);
    await this.#records.put(key, { ...route, name: key });
    if (!(await this.table.isOwnAddress(gateway))) await this.table.add(route.destinationCIDR, gateway);
  }

  async delete(route: Route): Promise<void> {
    const key = keyOf(route);
    const gateway = gatewayOf((await this.#records.get(key)) ?? route);
    if (gateway !== undefined) await this.table.remove(route.destinationCIDR, gateway);
    await this.#records.remove(key);
  }
}

export class MachineRouteTable implements RouteTable {
  constructor(private readonly network: Network = new Network()) {}

  add(destination: string, gateway: string): Promise<void> {
    return this.network.addRoute({ destination, gateway }, { replace: true });
  }

  async remove(destination: string, gateway: string): Promise<void> {
    const there = (await this.network.routes(4)).some((r) => r.destination === destination && r.gateway === gateway);
    if (there) await this.network.deleteRoute({ destination, gateway });
  }

  async isOwnAddress(address: string): Promise<boolean> {
    return (await this.network.addresses()).some((a) => a.address === address);
  }
}

const keyOf = (route: Route): string => `${route.targetNode}-${route.destinationCIDR.replaceAll(/[/:]/g, '_')}`;

const gatewayOf = (route: Route): string | undefined => route.targetAddresses?.find((a) => !a.includes(':'));

function parseRoute(value: unknown): Route {
  const { name, targetNode, destinationCIDR, targetAddresses } = value as Route;
  if (typeof name !== 'string' || typeof targetNode !== 'string' || typeof destinationCIDR !== 'string')
    throw new Error('a route has a name, a targetNode and a destinationCIDR');
  return { name, targetNode, destinationCIDR, ...(targetAddresses && { targetAddresses }) };
}
