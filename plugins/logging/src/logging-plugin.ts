import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import { Addon, AddonContext, Clock, configObject, definePlugin, field, Logger, PluginPoint, Random, KUBERNETES_VERSION } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logging } from './logging.js';

const isHeaders = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string');

/**
 * Container logs of a node as an add-on. `kubeconfig`: who it is, with an embedded client certificate; `containerLogs`: the folder
 * with the kubelet's links; `certFile`, `keyFile`: what it serves with; `clientCaFile`: the cluster's authority;
 * `retentionMiB` and `retentionHours`: what is kept; `otlpEndpoint`: where to forward by OTLP/HTTP, with `otlpHeaders`, a buffer of
 * `otlpBufferMiB`, and `otlpWhenFull` saying what goes when that is full.
 */
export const loggingAddon = definePlugin({
  point: PluginPoint.addon,
  name: 'logging',
  description: 'Collects container logs, makes them searchable and forwards them by OTLP',
  sdk: '^0.1.0',
  requires: [AddonContext, Clock, Random, Logger],
  config: configObject({
    kubeconfig: field.string(),
    containerLogs: field.string('/var/log/containers'),
    port: field.integer(10261, 0, 65535),
    certFile: field.string(),
    keyFile: field.string(),
    clientCaFile: field.string(),
    clusterName: field.string('kubernetes'),
    retentionMiB: field.integer(256, 1),
    retentionHours: field.integer(72, 1),
    otlpEndpoint: field.optional(field.string()),
    otlpHeaders: field.value<Readonly<Record<string, string>>>('an object of strings', isHeaders, {}),
    otlpBufferMiB: field.integer(16, 1, 1024),
    otlpWhenFull: field.oneOf(['drop-oldest', 'drop-newest'], 'drop-oldest'),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          (context: AddonContext, clock: Clock, random: Random, logger: Logger) => {
            const { transport } = clientConfig(readKubeconfig({ path: config.kubeconfig }), { clock });
            const read = (file: string) => readFileSync(file, 'utf8');
            const clientCa = read(config.clientCaFile);
            return new Logging({
              client: new KubeClient({ transport: new HttpsTransport(transport), clock, userAgent: `coxswain-logging/${KUBERNETES_VERSION}` }),
              containerLogs: config.containerLogs,
              stateDir: join(context.stateDir, 'logging'),
              retention: { bytes: config.retentionMiB * 1024 * 1024, ageMs: config.retentionHours * 3_600_000 },
              ...(config.otlpEndpoint === undefined
                ? {}
                : {
                    otlp: {
                      endpoint: config.otlpEndpoint,
                      headers: config.otlpHeaders,
                      bufferBytes: config.otlpBufferMiB * 1024 * 1024,
                      whenFull: config.otlpWhenFull,
                    },
                  }),
              nodeName: context.nodeName,
              clusterName: config.clusterName,
              address: context.hostIP,
              port: config.port,
              tls: { cert: read(config.certFile), key: read(config.keyFile) },
              clientCa,
              identity: { ca: clientCa, cert: String(transport.cert ?? ''), key: String(transport.key ?? '') },
              clock,
              random,
              logger: logger.child({ component: 'logging' }),
            });
          },
          [AddonContext, Clock, Random, Logger],
        )
        .inSingletonScope();
    }),
});
