import type { Controller, ManagedContext, RegisteredController } from '@coxswain/controller';
import type { CloudProvider } from '@coxswain/sdk';
import type { CloudControllerManagerConfig } from './cloud-controller-manager-config.js';
import { cloudNodeController } from './node/cloud-node-controller.js';
import { cloudNodeLifecycleController } from './node/cloud-node-lifecycle-controller.js';
import { routeController } from './route/route-controller.js';
import { serviceController } from './service/service-controller.js';

export type CloudContext = ManagedContext<CloudControllerManagerConfig>;

interface CloudController {
  /** Upstream's name of it. */
  readonly name: string;
  /** Upstream's short name of older releases. */
  readonly alias: string;
  readonly account: string;
  /** Undefined when this cloud, or this configuration, has nothing for it to do. */
  readonly make: (cloud: CloudProvider, config: CloudControllerManagerConfig) => ((context: CloudContext) => Controller) | undefined;
}

/** All controllers. Adding one is adding a row. */
const table: readonly CloudController[] = [
  {
    name: 'cloud-node-controller',
    alias: 'cloud-node',
    account: 'node-controller',
    make: ({ instances }) => instances && ((context) => cloudNodeController(context, instances)),
  },
  {
    name: 'cloud-node-lifecycle-controller',
    alias: 'cloud-node-lifecycle',
    account: 'node-controller',
    make: ({ instances, name }) => instances && ((context) => cloudNodeLifecycleController(context, instances, name)),
  },
  {
    name: 'service-lb-controller',
    alias: 'service',
    account: 'service-controller',
    make: ({ loadBalancers }) => loadBalancers && ((context) => serviceController(context, loadBalancers)),
  },
  {
    name: 'node-route-controller',
    alias: 'route',
    account: 'route-controller',
    make: ({ routes }, config) =>
      routes && config.allocateNodeCidrs && config.configureCloudRoutes ? (context) => routeController(context, routes) : undefined,
  },
];

/** The controllers this cloud has work for. */
export function cloudControllers(cloud: CloudProvider, config: CloudControllerManagerConfig): RegisteredController<CloudControllerManagerConfig>[] {
  return table.flatMap(({ name, alias, account, make }) => {
    const made = make(cloud, config);
    return made ? [{ name, aliases: [alias], account, group: 'main' as const, make: made }] : [];
  });
}

/** What `--controllers` may name, whatever the cloud offers. */
export const knownCloudControllers: readonly RegisteredController<CloudControllerManagerConfig>[] = table.map(({ name, alias }) => ({
  name,
  aliases: [alias],
  group: 'main',
  make: () => {
    throw new Error(`${name} is known by name only`);
  },
}));
