import { join } from 'node:path';
import { addonContext, addonContextModule, type ClusterConfig, componentKubeconfig, nodeComponents, podNetworkName, tablePrefix } from '@coxswain/cluster';
import { cniBridge } from '@coxswain/cni-bridge';
import { dnsAddon } from '@coxswain/dns';
import { createHost, type Host } from '@coxswain/host';
import type { NodePki } from '@coxswain/pki';
import { type Logger, type PluginUse, use } from '@coxswain/sdk';
import { sdnVxlan } from '@coxswain/sdn-vxlan';
import { runtimeOf } from '../runtimes/registry.js';
import { serviceProxy } from './service-proxy.js';

/** The plugins of a node as `cox up` composes it. */
export async function nodePlugins(config: ClusterConfig): Promise<PluginUse[]> {
  const { paths } = config;
  return [
    use(cniBridge, { tablePrefix: 'coxswain-', dataDir: join(paths.cni, 'networks') }),
    await runtimeOf(config).criServer(config),
    await serviceProxy(config),
    use(dnsAddon, { kubeconfig: componentKubeconfig(config, 'dns'), port: config.ports.dns, metricsPort: config.ports.dnsHealth }),
    ...(config.host ? [podNetwork(config)] : []),
  ];
}

/** Carries pods to and from those of other hosts, and writes the CNI configuration. */
function podNetwork(config: ClusterConfig): PluginUse {
  return use(sdnVxlan, {
    kubeconfig: componentKubeconfig(config, 'sdn'),
    clusterCIDRs: [config.podCIDR],
    cniConfDir: config.paths.cniConf,
    mode: config.podNetwork,
    network: podNetworkName(config),
    bridge: config.bridge,
    table: `${tablePrefix(config)}-sdn`,
  });
}

export async function nodeHost(config: ClusterConfig, pki: NodePki, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  return createHost({
    plugins: await nodePlugins(config),
    modules: [addonContextModule(addonContext(config))],
    components: nodeComponents(config, pki),
    logger,
    onStarted: ({ component }) => onStarted(component.name),
  });
}
