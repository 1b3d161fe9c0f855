import { criServerFields, criServerModule, criServerRequires } from '@coxswain/cri-runtime';
import { configObject, definePlugin, field, PluginPoint } from '@coxswain/sdk';
import { startDockershim } from './server.js';

/** Binds `CriServer`. */
export const dockershim = definePlugin({
  point: PluginPoint.cri,
  name: 'dockershim',
  description: 'CRI server over the Docker Engine API',
  sdk: '^0.1.0',
  requires: criServerRequires,
  config: configObject({ ...criServerFields, engineSocket: field.string() }),
  module: (config) => criServerModule('dockershim', config, (options) => startDockershim({ ...options, engineSocket: config.engineSocket })),
});
