import { criServerFields, criServerModule, criServerRequires, ociServerFields, ociServerOptions } from '@coxswain/cri-runtime';
import { configObject, definePlugin, PluginPoint } from '@coxswain/sdk';
import { startCrio } from './server.js';

/** Binds `CriServer`. */
export const crio = definePlugin({
  point: PluginPoint.cri,
  name: 'cri-o',
  description: 'CRI server with no daemon beneath: any OCI runtime, each container watched by conmon',
  sdk: '^0.1.0',
  requires: criServerRequires,
  config: configObject({ ...criServerFields, ...ociServerFields }),
  module: (config) => criServerModule('cri-o', config, (options) => startCrio({ ...options, ...ociServerOptions(config) })),
});
