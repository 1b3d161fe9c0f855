import { readFileSync } from 'node:fs';
import { AddonContext, ApiServerRuntime, Clock, configObject, CustomApiServer, definePlugin, field, Logger, PluginPoint } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { MetricsServer } from './metrics-server.js';

/**
 * metrics.k8s.io of a cluster. `kubeconfig`: how to reach the API server, and what to show kubelets; `port`: 0 picks a free one;
 * `certFile`, `keyFile`, `caFile`: PEM, for `metrics-server.kube-system.svc`, and needed when several serve one cluster (default: made at every start);
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
    certFile: field.optional(field.string()),
    keyFile: field.optional(field.string()),
    caFile: field.optional(field.string()),
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
              ...servingFiles(config),
              announce: { namespace: 'kube-system', instance: context.nodeName, nodeName: context.nodeName },
              resolutionMs: config.metricResolutionSeconds * 1000,
              kubeletInsecureTls: config.kubeletInsecureTls,
            }),
          [ApiServerRuntime, AddonContext, Clock, Logger],
        )
        .inSingletonScope();
    }),
});

interface ServingFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly caFile?: string | undefined;
}

function servingFiles({ certFile, keyFile, caFile }: ServingFiles) {
  if (certFile === undefined && keyFile === undefined && caFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined || caFile === undefined) throw new Error('certFile, keyFile and caFile: give all three, or none');
  const read = (file: string) => readFileSync(file, 'utf8');
  return { tls: { cert: read(certFile), key: read(keyFile), ca: read(caFile) } };
}
