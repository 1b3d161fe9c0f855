import { criServerFields, criServerModule, criServerRequires, ociServerFields, ociServerOptions } from '@coxswain/cri-runtime';
import { configObject, definePlugin, field, PluginPoint } from '@coxswain/sdk';
import { startCriContainerd } from './server.js';

/** Binds `CriServer`. */
export const criContainerd = definePlugin({
  point: PluginPoint.cri,
  name: 'cri-containerd',
  description: "CRI server over containerd's own API",
  sdk: '^0.1.0',
  requires: criServerRequires,
  config: configObject({ ...criServerFields, containerdSocket: field.string(), containerdRoot: field.string(), ...ociServerFields }),
  module: (config) => {
    const { containerdSocket, containerdRoot } = config;
    return criServerModule('cri-containerd', config, (options) =>
      startCriContainerd({ ...options, ...ociServerOptions(config), containerdSocket, containerdRoot }),
    );
  },
});
