import { CloudProvider, configObject, definePlugin, field, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { LocalCloud } from './local-cloud.js';

/**
 * The cloud on this machine. `folder`: its records and disks; `loadBalancerPool`: a network or range of addresses for Services of type
 * LoadBalancer; `link`: what holds them; `forwarder`: the cluster's nodes are hosts of this machine, whose `addressForwarder` leads to them.
 */
export const cloudLocal = definePlugin({
  point: PluginPoint.cloud,
  name: 'cloud-local',
  description: 'A cloud on one machine: instances, load balancers, routes and volumes',
  sdk: '^0.1.0',
  config: configObject({
    folder: field.string('/var/lib/coxswain/cloud'),
    loadBalancerPool: field.string('10.200.0.0/24'),
    link: field.string('cox-lb'),
    forwarder: field.boolean(false),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(CloudProvider)
        .toResolvedValue(() => new LocalCloud(config), [])
        .inSingletonScope();
    }),
});
