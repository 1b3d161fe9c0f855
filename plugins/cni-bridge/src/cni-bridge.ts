import { CniPlugin, configObject, definePlugin, field } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { DEFAULT_DATA_DIR } from './host-local.js';
import { DEFAULT_TABLE_PREFIX } from './network-table.js';
import { bridgePlugins } from './plugins.js';

/** Binds `bridge`, `host-local`, `loopback` and `portmap` under the `CniPlugin` token. */
export const cniBridge = definePlugin({
  point: 'coxswain.cni.v1',
  name: 'cni-bridge',
  description: 'CNI plugins bridge, host-local, loopback and portmap, in process',
  sdk: '^0.1.0',
  config: configObject({
    tablePrefix: field.string(DEFAULT_TABLE_PREFIX),
    dataDir: field.string(DEFAULT_DATA_DIR),
    hostNetns: field.optional(field.string()),
  }),
  module: ({ tablePrefix, dataDir, hostNetns }) =>
    new ContainerModule(({ bind }) => {
      for (const plugin of bridgePlugins({ tablePrefix, dataDir, ...(hostNetns === undefined ? {} : { hostNetns }) })) {
        bind(CniPlugin).toConstantValue(plugin);
      }
    }),
});
