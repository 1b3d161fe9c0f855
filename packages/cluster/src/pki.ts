import type { ClusterPki } from '@coxswain/pki';
import { ensureClusterPki } from '@coxswain/pki';
import type { ClusterConfig } from './cluster-spec.js';

/** The cluster's certificates, made or completed in its PKI folder. */
export function clusterPki(config: ClusterConfig, now: number): Promise<ClusterPki> {
  return ensureClusterPki({
    dir: config.paths.pki,
    apiServerNames: [config.nodeName],
    apiServerIPs: [config.apiServiceIP, config.nodeIP],
    clusterDomain: config.clusterDomain,
    nodeName: config.nodeName,
    nodeIPs: [config.nodeIP, '127.0.0.1'],
    now,
  });
}
