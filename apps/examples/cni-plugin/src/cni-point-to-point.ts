import { hostLocal } from '@coxswain/cni-bridge';
import { CniPlugin, definePlugin, noConfig, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { pointToPoint } from './point-to-point.js';

/** In process: a plugin of a Coxswain host, in place of `cniBridge`. */
export const cniPointToPoint = definePlugin({
  point: PluginPoint.cni,
  name: 'cni-point-to-point',
  description: 'A link to the host for each container, and routes between them',
  sdk: '^0.1.0',
  config: noConfig,
  module: () =>
    new ContainerModule(({ bind }) => {
      bind(CniPlugin).toConstantValue(pointToPoint());
      bind(CniPlugin).toConstantValue(hostLocal());
    }),
});
