import type { CloudProvider } from '@coxswain/sdk';
import { InstanceRegistry, LocalInstances } from './instances.js';
import { LocalLoadBalancers } from './load-balancers.js';
import { AddressPool } from './network/address-pool.js';
import { type AddressCarrier, MachineCarrier } from './network/carrier.js';
import { ForwardingRecords } from './network/forwarding.js';
import { LocalRoutes, type RouteTable } from './routes.js';
import { LocalVolumes } from './volumes.js';

export const LOCAL_CLOUD = 'local';

export interface LocalCloudOptions {
  /** Where the cloud keeps its records, and the disks. */
  readonly folder: string;
  /** Addresses of load balancers: a network or a range. */
  readonly loadBalancerPool: string;
  /** The link that holds them; at most 15 characters. */
  readonly link: string;
  /** The machine in front of the cluster's hosts runs `addressForwarder`: where load balancers lead is written down for it. Default false. */
  readonly forwarder?: boolean;
  /** How the machine is made to answer; by default, by its links and routes. */
  readonly carrier?: AddressCarrier;
  readonly routeTable?: RouteTable;
}

/** A cloud on one machine: hosts of a cluster as instances, a private pool of addresses, routes, and files as disks. */
export class LocalCloud implements CloudProvider {
  readonly name = LOCAL_CLOUD;
  readonly registry: InstanceRegistry;
  readonly instances: LocalInstances;
  readonly loadBalancers: LocalLoadBalancers;
  readonly routes: LocalRoutes;
  readonly volumes: LocalVolumes;

  /** Throws for a pool or a link that cannot be. */
  constructor({ folder, loadBalancerPool, link, forwarder = false, carrier, routeTable }: LocalCloudOptions) {
    if (!/^[^\s/]{1,15}$/.test(link)) throw new Error(`link ${JSON.stringify(link)} cannot be the name of a link: at most 15 characters`);
    this.registry = new InstanceRegistry(folder);
    this.instances = new LocalInstances(this.registry, LOCAL_CLOUD);
    const carries = carrier ?? (forwarder ? new ForwardingRecords(folder) : new MachineCarrier(link));
    this.loadBalancers = new LocalLoadBalancers(folder, new AddressPool(loadBalancerPool), carries);
    this.routes = new LocalRoutes(folder, routeTable);
    this.volumes = new LocalVolumes(folder);
  }
}
