import { type ClusterPki, ensureClusterPki, ensureEtcdPki, ensureNodePki, type NodePki, shareAuthorities } from '@coxswain/pki';
import { writeComponentKubeconfigs, writeNodeKubeconfigs } from './component-kubeconfigs.js';
import type { ClusterConfig } from './cluster-spec.js';
import { isControlPlane } from './hosts/host-view.js';

/** The certificates of the cluster, or of a host with a control plane, made or completed in its PKI folder. */
export function clusterPki(config: ClusterConfig, now: number): Promise<ClusterPki> {
  return ensureClusterPki({
    dir: config.paths.pki,
    apiServerNames: [config.nodeName],
    // Clients come by the balancer too, which listens at the machine's end of the hosts' link.
    apiServerIPs: [config.apiServiceIP, config.nodeIP, ...(config.host ? [config.hostNetwork.gateway] : [])],
    clusterDomain: config.clusterDomain,
    nodeName: config.nodeName,
    nodeIPs: [config.nodeIP, '127.0.0.1'],
    now,
  });
}

/**
 * Gives a host what it needs to be a node of the cluster, and nothing more: certificates and kubeconfigs of its own; a host with a
 * control plane the authorities too. `cluster` is the PKI that signs, `config` the cluster's own view, `view` the host's.
 */
export async function prepareHostPki(config: ClusterConfig, view: ClusterConfig, cluster: ClusterPki, now: number): Promise<NodePki> {
  if (isControlPlane(view)) {
    const stacked = config.etcd?.kind === 'stacked';
    // Its authority is the cluster's too: made there first, then given to each member.
    if (stacked) await ensureEtcdPki({ dir: config.paths.pki, nodeName: config.name, ip: config.hostNetwork.gateway, now });
    shareAuthorities(config.paths.pki, view.paths.pki);
    if (stacked) await ensureEtcdPki({ dir: view.paths.pki, nodeName: view.nodeName, ip: view.nodeIP, now });
    const pki = await clusterPki(view, now);
    writeComponentKubeconfigs(view, pki);
    return pki;
  }
  const pki = await ensureNodePki({ dir: view.paths.pki, ca: cluster.ca, nodeName: view.nodeName, nodeIPs: [view.nodeIP, '127.0.0.1'], now });
  writeNodeKubeconfigs(view, pki);
  return pki;
}
