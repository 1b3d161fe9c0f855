import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import { Addon, AddonContext, Clock, configObject, definePlugin, field, Logger, PluginPoint, Random, KUBERNETES_VERSION } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { ClusterDns } from './cluster-dns.js';
import { parseUpstream } from './resolv-conf.js';

/**
 * Cluster DNS as an add-on. `kubeconfig`: how to reach the API server; `port`: UDP and TCP, on the host's address;
 * `metricsPort`: health and metrics; `upstreams`: instead of those in resolv.conf; `ttlSeconds` of answers.
 */
export const dnsAddon = definePlugin({
  point: PluginPoint.addon,
  name: 'dns',
  description: 'Cluster DNS for services and pods',
  sdk: '^0.1.0',
  requires: [AddonContext, Clock, Random, Logger],
  config: configObject({
    kubeconfig: field.string(),
    port: field.integer(10053, 1, 65535),
    metricsPort: field.integer(9153, 1, 65535),
    upstreams: field.list(field.string(), []),
    ttlSeconds: field.integer(5, 0, 3600),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          (context: AddonContext, clock: Clock, random: Random, logger: Logger) => {
            const { transport } = clientConfig(readKubeconfig({ path: config.kubeconfig }), { clock });
            return new ClusterDns({
              client: new KubeClient({ transport: new HttpsTransport(transport), clock, userAgent: `coxswain-dns/${KUBERNETES_VERSION}` }),
              clock,
              random,
              logger,
              address: context.hostIP,
              port: config.port,
              serve: { address: context.hostIP, port: config.metricsPort },
              clusterDomain: context.clusterDomain,
              clusterIP: context.clusterDnsIP,
              nodeName: context.nodeName,
              ttl: config.ttlSeconds,
              ...(config.upstreams.length > 0 ? { upstreams: config.upstreams.map(parseUpstream) } : {}),
            });
          },
          [AddonContext, Clock, Random, Logger],
        )
        .inSingletonScope();
    }),
});
