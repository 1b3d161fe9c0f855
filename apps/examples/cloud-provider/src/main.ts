// `cox cloud-controller-manager --cloud-provider …` takes the one cloud plugin a module exports.
import { CloudProvider, configObject, definePlugin, field, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { MemoryCloud } from './memory-cloud.js';

export const memoryCloud = definePlugin({
  point: PluginPoint.cloud,
  name: 'memory-cloud',
  description: 'Instances and load balancers in memory',
  sdk: '^0.1.0',
  config: configObject({ addresses: field.list(field.string(), ['203.0.113.1', '203.0.113.2']) }),
  module: ({ addresses }) =>
    new ContainerModule(({ bind }) => {
      bind(CloudProvider).toConstantValue(new MemoryCloud(new Map(), addresses));
    }),
});
