import { AddonContext, ApiServerRuntime, Clock, configObject, CustomApiServer, definePlugin, field, Logger, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { MetricsServer } from './metrics-server.js';

/**
 * metrics.k8s.io of a cluster. `kubeconfig`: how to reach the API server, and what to show kubelets; `port`: 0 picks a free one;
 * `metricResolutionSeconds`: between rounds; `kubeletInsecureTls`: do not check kubelets' certificates.
 */
export const metricsServer = definePlugin({
  point: PluginPoint.apiServer,
  name: 'metrics-server',
  description: 'What nodes and pods use: metrics.k8s.io',
  sdk: '^0.1.0',
  requires: [ApiServerRuntime, AddonContext, Clock, Logger],
  config: configObject({
    kubeconfig: field.string(),
    port: field.integer(0, 0, 65535),
    metricResolutionSeconds: field.integer(15, 1, 3600),
    kubeletInsecureTls: field.boolean(false),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(CustomApiServer)
        .toResolvedValue(
          (runtime: ApiServerRuntime, context: AddonContext, clock: Clock, logger: Logger) =>
            new MetricsServer({
              runtime,
              clock,
              logger,
              kubeconfig: config.kubeconfig,
              address: context.hostIP,
              port: config.port,
              announce: { namespace: 'kube-system', instance: context.nodeName },
              resolutionMs: config.metricResolutionSeconds * 1000,
              kubeletInsecureTls: config.kubeletInsecureTls,
            }),
          [ApiServerRuntime, AddonContext, Clock, Logger],
        )
        .inSingletonScope();
    }),
});
