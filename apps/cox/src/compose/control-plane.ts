import { addonContext, addonContextModule, apiServerRuntimeModule, type ClusterConfig, componentKubeconfig, controlPlaneComponents } from '@coxswain/cluster';
import { createHost, type Host } from '@coxswain/host';
import { metricsServer } from '@coxswain/metrics-server';
import type { ClusterPki } from '@coxswain/pki';
import { type Logger, type PluginUse, use } from '@coxswain/sdk';
import { cloudLocal } from '@coxswain/cloud-local';
import { lmdbStore } from '@coxswain/store-lmdb';

/** The control plane as `cox up` composes it: everything on one embedded store. */
export function controlPlaneHost(config: ClusterConfig, pki: ClusterPki, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  return createHost({
    plugins: [
      use(lmdbStore, { path: config.paths.store }),
      ...(config.metricsServer ? [use(metricsServer, { kubeconfig: componentKubeconfig(config, 'metrics-server') })] : []),
      ...cloudPlugins(config),
    ],
    modules: [addonContextModule(addonContext(config)), apiServerRuntimeModule()],
    components: controlPlaneComponents(config, pki),
    logger,
    onStarted: ({ component }) => onStarted(component.name),
  });
}

/** The cloud on this machine, unless the cluster was made without. */
function cloudPlugins({ cloud, paths }: ClusterConfig): PluginUse[] {
  return cloud ? [use(cloudLocal, { folder: paths.cloud, loadBalancerPool: cloud.loadBalancerPool, link: cloud.link })] : [];
}
