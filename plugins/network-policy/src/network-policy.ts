import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import { Addon, AddonContext, Clock, configObject, definePlugin, field, Logger, PluginPoint, Random, KUBERNETES_VERSION } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { NetworkPolicyAddon } from './policy-addon.js';
import { PolicyEngine } from './policy-engine.js';

/** NetworkPolicy of a node as an add-on. `kubeconfig`: how to reach the API server; `table`: names the nftables tables. */
export const networkPolicy = definePlugin({
  point: PluginPoint.addon,
  name: 'network-policy',
  description: 'Enforces NetworkPolicy with nftables',
  sdk: '^0.1.0',
  requires: [AddonContext, Clock, Random, Logger],
  config: configObject({
    kubeconfig: field.string(),
    table: field.string('coxswain-policy'),
    hostNetns: field.optional(field.string()),
  }),
  module: ({ kubeconfig, table, hostNetns }) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          ({ nodeName }: AddonContext, clock: Clock, random: Random, logger: Logger) => {
            const { transport } = clientConfig(readKubeconfig({ path: kubeconfig }), { clock });
            return new NetworkPolicyAddon({
              client: new KubeClient({ transport: new HttpsTransport(transport), clock, userAgent: `coxswain-network-policy/${KUBERNETES_VERSION}` }),
              engine: new PolicyEngine({ table, nodeName, logger, ...(hostNetns === undefined ? {} : { hostNetns }) }),
              clock,
              random,
              logger: logger.child({ component: 'network-policy' }),
            });
          },
          [AddonContext, Clock, Random, Logger],
        )
        .inSingletonScope();
    }),
});
