import { Clock, configObject, definePlugin, field, Logger, PluginPoint, StateStore } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { openLmdbStore } from './open-lmdb-store.js';

/** StateStore on LMDB. `path`: the folder of the store; `cacheMiB`: values kept in memory. */
export const lmdbStore = definePlugin({
  point: PluginPoint.store,
  name: 'store-lmdb',
  description: 'Durable embedded state store on LMDB',
  sdk: '^0.1.0',
  requires: [Clock, Logger],
  config: configObject({ path: field.string(), cacheMiB: field.integer(16, 1) }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(StateStore)
        .toResolvedValue(
          (clock: Clock, logger: Logger) => openLmdbStore({ path: config.path, clock, logger, cacheBytes: config.cacheMiB * 1024 * 1024 }),
          [Clock, Logger],
        )
        .inSingletonScope();
    }),
});
