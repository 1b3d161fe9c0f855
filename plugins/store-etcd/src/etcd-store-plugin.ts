import { Clock, configObject, definePlugin, field, Logger, PluginPoint, Random, StateStore } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { openEtcdStore } from './open-etcd-store.js';

/**
 * StateStore on an etcd cluster. `endpoints`: URLs of members; `caFile`, `certFile`, `keyFile`: PEM files for https;
 * `prefix`: put before every key; `requestTimeoutMs`: how long a request may take before it counts as unavailable.
 */
export const etcdStore = definePlugin({
  point: PluginPoint.store,
  name: 'store-etcd',
  description: 'State store on an etcd v3 cluster',
  sdk: '^0.1.0',
  requires: [Clock, Random, Logger],
  config: configObject({
    endpoints: field.list(field.string()),
    caFile: field.optional(field.string()),
    certFile: field.optional(field.string()),
    keyFile: field.optional(field.string()),
    prefix: field.string(''),
    requestTimeoutMs: field.integer(5000, 1),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(StateStore)
        .toResolvedValue((clock: Clock, random: Random, logger: Logger) => openEtcdStore({ ...config, clock, random, logger }), [Clock, Random, Logger])
        .inSingletonScope();
    }),
});
