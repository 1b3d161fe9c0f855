import { join } from 'node:path';
import { AddonContext } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import type { ClusterConfig } from './cluster-spec.js';

/** Where add-ons of this cluster's node run. */
export function addonContext(config: ClusterConfig): AddonContext {
  return {
    clusterDomain: config.clusterDomain,
    hostIP: config.nodeIP,
    nodeName: config.nodeName,
    clusterDnsIP: config.dnsIP,
    stateDir: join(config.paths.state, 'addons'),
  };
}

/** Binds it, for a host's `modules`. */
export function addonContextModule(context: AddonContext): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(AddonContext).toConstantValue(context);
  });
}
