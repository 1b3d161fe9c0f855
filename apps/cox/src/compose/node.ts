import { join } from 'node:path';
import { addonContext, addonContextModule, type ClusterConfig, componentKubeconfig, nodeComponents, tablePrefix } from '@coxswain/cluster';
import { cniBridge } from '@coxswain/cni-bridge';
import { criContainerd } from '@coxswain/cri-containerd';
import { dnsAddon } from '@coxswain/dns';
import { createHost, type Host } from '@coxswain/host';
import type { ClusterPki } from '@coxswain/pki';
import { proxyNftables } from '@coxswain/proxy-nftables';
import { type Logger, type PluginUse, use } from '@coxswain/sdk';

/** The plugins of a node as `cox up` composes it. */
export function nodePlugins(config: ClusterConfig): PluginUse[] {
  const { paths } = config;
  return [
    use(cniBridge, { tablePrefix: 'coxswain-', dataDir: join(paths.cni, 'networks') }),
    use(criContainerd, {
      endpoint: `unix://${paths.criSocket}`,
      containerdSocket: paths.containerdSocket,
      containerdRoot: paths.containerdRoot,
      root: paths.cri,
      state: paths.criRun,
      cniConfDir: paths.cniConf,
    }),
    use(proxyNftables, { table: `${tablePrefix(config)}-proxy`, nodeName: config.nodeName, nodeIPs: [config.nodeIP], clusterCIDRs: [config.podCIDR] }),
    use(dnsAddon, { kubeconfig: componentKubeconfig(config, 'dns'), port: config.ports.dns, metricsPort: config.ports.dnsHealth }),
  ];
}

export function nodeHost(config: ClusterConfig, pki: ClusterPki, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  return createHost({
    plugins: nodePlugins(config),
    modules: [addonContextModule(addonContext(config))],
    components: nodeComponents(config, pki),
    logger,
    onStarted: ({ component }) => onStarted(component.name),
  });
}
