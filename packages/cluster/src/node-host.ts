import type { KubeClient } from '@coxswain/client';
import { connectCri } from '@coxswain/cri';
import { component, type ComponentRecipe, all } from '@coxswain/host';
import { KubeProxy } from '@coxswain/kube-proxy';
import { Kubelet, type KubeletConfig } from '@coxswain/kubelet';
import type { NodePki } from '@coxswain/pki';
import { Addon, Clock, type Component, CriServer, defineComponent, Logger, Random, ServiceProxy, KUBERNETES_VERSION } from '@coxswain/sdk';
import { clientFor } from './api-access.js';
import type { ClusterConfig, ReplaceableComponent } from './cluster-spec.js';
import { writeCniConfig } from './cni-config.js';
import { group } from './group.js';
import { keepHostNetwork } from './hosts/keep-host-network.js';
import { nodeCgroup } from './names.js';

const API_REACHABLE = 'api-reachable';

/**
 * Ready once the API server answers, so that a node may be started beside its control plane: the CRI server recovers meanwhile, and
 * nobody runs into the back-off of a refused connection.
 */
function apiReachable(client: KubeClient, clock: Clock): Component {
  return defineComponent(API_REACHABLE, async (signal) => {
    for (;;) {
      signal.throwIfAborted();
      const answered = await client.rest.transport
        .request({
          method: 'GET',
          path: '/readyz',
          headers: { 'user-agent': `kubelet/${KUBERNETES_VERSION}` },
          signal: AbortSignal.any([signal, AbortSignal.timeout(1000)]),
        })
        .catch(() => undefined);
      if (answered?.status === 200) break;
      await clock.sleep(25, signal);
    }
    await client.close();
    return async () => {};
  });
}

/** The kubelet's configuration for a node of this cluster. */
export function kubeletConfig(config: ClusterConfig, pki: NodePki): KubeletConfig {
  return {
    nodeName: config.nodeName,
    nodeIPs: [config.nodeIP],
    rootDir: config.paths.kubelet,
    podLogsDir: config.paths.podLogs,
    containerLogsDir: config.paths.containerLogs,
    clusterDomain: config.clusterDomain,
    clusterDNS: [config.dnsIP],
    port: config.ports.kubelet,
    healthzPort: config.ports.kubeletHealth,
    authentication: { anonymous: false, webhook: true, clientCA: pki.ca.cert },
    serving: pki.leaf.kubelet,
    cgroupRoot: nodeCgroup(config),
    ...(config.cloud ? { cloudProvider: 'external' as const } : {}),
  };
}

/**
 * The components of a worker node: CRI server, kubelet, kube-proxy, add-ons. Plugins bind `CriServer`, `ServiceProxy` and any
 * number of `Addon`s.
 */
export function nodeComponents(config: ClusterConfig, pki: NodePki): ComponentRecipe[] {
  const { host } = config;
  const recipes = [
    ...(host ? [component('host-network', [Clock, Logger], (clock, logger) => keepHostNetwork(config, host, clock, logger))] : []),
    component('cri', [CriServer], (server) => server),
    component(
      'kubelet',
      [CriServer, Clock, Random, Logger],
      (server, clock, random, logger) =>
        new Kubelet(kubeletConfig(config, pki), {
          client: clientFor(config, pki, pki.leaf['kubelet-client'], 'kubelet', clock),
          cri: connectCri({ endpoint: server.endpoint }),
          clock,
          random,
          logger: logger.child({ component: 'kubelet' }),
          // On hosts the pod network's add-on does, which knows how pods reach those of other hosts.
          ...(host ? {} : { onPodCIDR: (podCIDR: string) => writeCniConfig(config, podCIDR) }),
        }),
      { after: ['cri', API_REACHABLE] },
    ),
    component(
      'kube-proxy',
      [ServiceProxy, Clock, Random, Logger],
      (proxy, clock, random, logger) =>
        new KubeProxy({
          client: clientFor(config, pki, pki.leaf['kube-proxy'], 'kube-proxy', clock),
          proxy,
          nodeName: config.nodeName,
          clock,
          random,
          logger: logger.child({ component: 'kube-proxy' }),
          serve: { address: '0.0.0.0', port: config.ports.proxyHealth },
        }),
      { after: [API_REACHABLE] },
    ),
    component('addons', [all(Addon)], (addons) => group('addons', addons), { after: [API_REACHABLE] }),
    component(API_REACHABLE, [Clock], (clock) => apiReachable(clientFor(config, pki, pki.leaf['kubelet-client'], 'kubelet', clock), clock)),
  ];
  return recipes.filter(({ name }) => !config.without.includes(name as ReplaceableComponent));
}
