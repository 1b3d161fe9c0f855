import { join } from 'node:path';
import { cloudLocal, localCsiController } from '@coxswain/cloud-local';
import {
  addonContext,
  addonContextModule,
  apiServerRuntimeModule,
  type ClusterConfig,
  componentKubeconfig,
  controlPlaneComponents,
  CSI_DRIVER,
  etcdAccess,
} from '@coxswain/cluster';
import { component, type ComponentRecipe, createHost, type Host } from '@coxswain/host';
import { metricsServer } from '@coxswain/metrics-server';
import type { ClusterPki } from '@coxswain/pki';
import { CloudProvider, type Logger, type PluginUse, use } from '@coxswain/sdk';

/** The control plane as `cox up` composes it. */
export async function controlPlaneHost(config: ClusterConfig, pki: ClusterPki, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  return createHost({
    plugins: [await store(config), ...(config.metricsServer ? [metrics(config)] : []), ...cloudPlugins(config)],
    modules: [addonContextModule(addonContext(config)), apiServerRuntimeModule()],
    components: [...controlPlaneComponents(config, pki), ...cloudComponents(config)],
    logger,
    onStarted: ({ component }) => onStarted(component.name),
  });
}

/** One in every control plane, and each serves its own API server: all under the one authority that their APIService names. */
function metrics(config: ClusterConfig): PluginUse {
  const file = (name: string) => join(config.paths.pki, name);
  return use(metricsServer, {
    kubeconfig: componentKubeconfig(config, 'metrics-server'),
    certFile: file('addon-serving.crt'),
    keyFile: file('addon-serving.key'),
    caFile: file('ca.crt'),
  });
}

/** Embedded for one control plane, an etcd for several. Only the one that is needed is loaded. */
async function store(config: ClusterConfig): Promise<PluginUse> {
  const etcd = etcdAccess(config);
  if (!etcd) {
    const { lmdbStore } = await import('@coxswain/store-lmdb');
    return use(lmdbStore, { path: config.paths.store });
  }
  const { etcdStore } = await import('@coxswain/store-etcd');
  return use(etcdStore, etcd);
}

/** The cloud on this machine, unless the cluster was made without. */
function cloudPlugins({ cloud, paths, host }: ClusterConfig): PluginUse[] {
  if (!cloud) return [];
  const { loadBalancerPool, link } = cloud;
  return [use(cloudLocal, { folder: paths.cloud, loadBalancerPool, link, forwarder: host !== undefined })];
}

/** The disks' CSI driver, as the cluster's CSI controllers ask it. */
function cloudComponents({ cloud, paths }: ClusterConfig): ComponentRecipe[] {
  return cloud ? [component(CSI_DRIVER, [CloudProvider], (provider) => localCsiController(provider, `unix://${paths.csiControllerSocket}`))] : [];
}
