import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import { Addon, AddonContext, Clock, configObject, definePlugin, field, Logger, PluginPoint, Random, KUBERNETES_VERSION } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { modes } from './plan.js';
import { PodNetwork } from './pod-network.js';

/**
 * The pod network of several hosts as an add-on of each. `kubeconfig`: how to reach the API server; `clusterCIDRs`: all pods' addresses;
 * `cniConfDir`: where the CNI configuration goes; `mode`, `vni`, `port` must be the same on every node.
 */
export const sdnVxlan = definePlugin({
  point: PluginPoint.addon,
  name: 'sdn-vxlan',
  description: 'Pods reach those of other hosts: by routes on a shared link, else by VXLAN',
  sdk: '^0.1.0',
  requires: [AddonContext, Clock, Random, Logger],
  config: configObject({
    kubeconfig: field.string(),
    clusterCIDRs: field.list(field.string()),
    cniConfDir: field.string('/etc/cni/net.d'),
    mode: field.oneOf(modes, 'auto'),
    network: field.string('coxswain'),
    bridge: field.string('cni0'),
    device: field.string('cox-vxlan'),
    vni: field.integer(1, 1, 0xffffff),
    port: field.integer(8472, 1, 65535),
    table: field.string('coxswain-sdn'),
    hostNetns: field.optional(field.string()),
    cleanupOnStop: field.boolean(false),
  }),
  module: ({ kubeconfig, hostNetns, ...config }) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          ({ nodeName }: AddonContext, clock: Clock, random: Random, logger: Logger) => {
            const { transport } = clientConfig(readKubeconfig({ path: kubeconfig }), { clock });
            return new PodNetwork({
              ...config,
              ...(hostNetns === undefined ? {} : { hostNetns }),
              client: new KubeClient({ transport: new HttpsTransport(transport), clock, userAgent: `coxswain-sdn/${KUBERNETES_VERSION}` }),
              clock,
              random,
              logger: logger.child({ component: 'sdn-vxlan' }),
              nodeName,
            });
          },
          [AddonContext, Clock, Random, Logger],
        )
        .inSingletonScope();
    }),
});
