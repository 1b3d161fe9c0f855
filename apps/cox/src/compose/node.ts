import { join } from 'node:path';
import { cloudLocalDisks } from '@coxswain/cloud-local';
import {
  addonContext,
  addonContextModule,
  apiServerUrl,
  type ClusterConfig,
  componentKubeconfig,
  isControlPlane,
  nodeComponents,
  podNetworkName,
  tablePrefix,
} from '@coxswain/cluster';
import { cniBridge } from '@coxswain/cni-bridge';
import { dashboardAddon } from '@coxswain/dashboard';
import { dnsAddon } from '@coxswain/dns';
import { createHost, type Host } from '@coxswain/host';
import { loggingAddon } from '@coxswain/logging';
import type { NodePki } from '@coxswain/pki';
import { type Logger, type PluginUse, use } from '@coxswain/sdk';
import { sdnVxlan } from '@coxswain/sdn-vxlan';
import { runtimeOf } from '../runtimes/registry.js';
import { serviceProxy } from './service-proxy.js';

/** Metrics of components that the API server has no way to. */
function componentEndpoints({ ports, nodeIP, cloud }: ClusterConfig): { name: string; metrics: string }[] {
  const of = (name: string, address: string, port: number) => ({ name, metrics: `http://${address}:${port}/metrics` });
  return [
    of('kube-scheduler', '127.0.0.1', ports.scheduler),
    of('kube-controller-manager', '127.0.0.1', ports.controllerManager),
    ...(cloud ? [of('cloud-controller-manager', '127.0.0.1', ports.cloudControllerManager)] : []),
    of('kube-proxy', '127.0.0.1', ports.proxyHealth),
    of('coredns', nodeIP, ports.dnsHealth),
  ];
}

/** The plugins of a node as `cox up` composes it. */
export async function nodePlugins(config: ClusterConfig): Promise<PluginUse[]> {
  const { paths } = config;
  return [
    use(cniBridge, { tablePrefix: 'coxswain-', dataDir: paths.ipam }),
    await runtimeOf(config).criServer(config),
    await serviceProxy(config),
    // Beside a control plane, so that it reaches the metrics of its components.
    ...(isControlPlane(config) ? [dashboard(config)] : []),
    use(loggingAddon, {
      kubeconfig: componentKubeconfig(config, 'logging'),
      containerLogs: paths.containerLogs,
      port: config.ports.logging,
      certFile: join(paths.pki, 'addon-serving.crt'),
      keyFile: join(paths.pki, 'addon-serving.key'),
      clientCaFile: join(paths.pki, 'ca.crt'),
      clusterName: config.name,
      ...(config.otlpEndpoint === undefined ? {} : { otlpEndpoint: config.otlpEndpoint }),
    }),
    ...(config.cloud ? [use(cloudLocalDisks, { folder: paths.cloud, kubeletDir: paths.kubelet })] : []),
    use(dnsAddon, { kubeconfig: componentKubeconfig(config, 'dns'), port: config.ports.dns, metricsPort: config.ports.dnsHealth }),
    ...(config.host ? [podNetwork(config)] : []),
    ...(config.networkPolicy ? [await policyEnforcement(config)] : []),
  ];
}

function dashboard(config: ClusterConfig): PluginUse {
  const { pki } = config.paths;
  return use(dashboardAddon, {
    server: apiServerUrl(config),
    caFile: join(pki, 'ca.crt'),
    certFile: join(pki, 'addon-serving.crt'),
    keyFile: join(pki, 'addon-serving.key'),
    port: config.ports.dashboard,
    clusterName: config.name,
    components: componentEndpoints(config),
  });
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

async function policyEnforcement(config: ClusterConfig): Promise<PluginUse> {
  const { networkPolicy } = await import('@coxswain/network-policy');
  return use(networkPolicy, { kubeconfig: componentKubeconfig(config, 'network-policy'), table: `${tablePrefix(config)}-policy` });
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
