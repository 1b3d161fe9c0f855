import { type ClusterConfig, tablePrefix } from '@coxswain/cluster';
import { type PluginUse, use } from '@coxswain/sdk';

/** Ends the names of a cluster's iptables chains, which have no table of their own to be told apart by. */
const iptablesSuffix = (config: ClusterConfig) => `COX${config.index}`;

/** What carries Services on a node of this cluster. Only the chosen one is loaded. */
export async function serviceProxy(config: ClusterConfig): Promise<PluginUse> {
  const node = { nodeName: config.nodeName, nodeIPs: [config.nodeIP], clusterCIDRs: [config.podCIDR] };
  if (config.proxyMode === 'iptables') {
    const { proxyIptables } = await import('@coxswain/proxy-iptables');
    return use(proxyIptables, { suffix: iptablesSuffix(config), ...node });
  }
  const { proxyNftables } = await import('@coxswain/proxy-nftables');
  return use(proxyNftables, { table: `${tablePrefix(config)}-proxy`, ...node });
}

/** Removes a cluster's iptables rules; those of nftables go with the cluster's tables. */
export async function removeIptablesRules(config: ClusterConfig): Promise<void> {
  if (config.proxyMode !== 'iptables') return;
  const { IptablesProxy } = await import('@coxswain/proxy-iptables');
  const node = { nodeName: config.nodeName, nodeIPs: [], clusterCIDRs: [], nodePortAddresses: [] };
  await new IptablesProxy({ suffix: iptablesSuffix(config), node }).cleanup();
}
