import { Addon, AddonContext, Clock, configObject, definePlugin, field, Logger, PluginPoint, Random } from '@coxswain/sdk';
import { readFileSync } from 'node:fs';
import { ContainerModule } from 'inversify';
import type { ComponentEndpoint } from './components/component-metrics.js';
import { Dashboard } from './dashboard.js';

const isEndpoints = (value: unknown): value is readonly ComponentEndpoint[] =>
  Array.isArray(value) && value.every((v: Partial<ComponentEndpoint> | null) => typeof v?.name === 'string' && typeof v.metrics === 'string');

/**
 * The dashboard as an add-on. `server` and `caFile`: the API server it passes requests on to, as whoever has signed in; the
 * add-on has no identity of its own. `certFile` and `keyFile`: what it serves with (without them it makes its own, kept in
 * its state folder). `components`: metrics endpoints of this machine that the API server cannot reach. `webRoot`: another front end.
 */
export const dashboardAddon = definePlugin({
  point: PluginPoint.addon,
  name: 'dashboard',
  description: 'The dashboard: tables, logs, terminals and the live architecture, as the user who signed in',
  sdk: '^0.1.0',
  requires: [AddonContext, Clock, Random, Logger],
  config: configObject({
    server: field.string(),
    caFile: field.string(),
    address: field.string('0.0.0.0'),
    port: field.integer(10443, 0, 65535),
    certFile: field.optional(field.string()),
    keyFile: field.optional(field.string()),
    webRoot: field.optional(field.string()),
    clusterName: field.string('kubernetes'),
    sessionHours: field.integer(12, 1, 24 * 7),
    components: field.value<readonly ComponentEndpoint[]>('a list of { name, metrics }', isEndpoints, []),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(Addon)
        .toResolvedValue(
          (context: AddonContext, clock: Clock, random: Random, logger: Logger) => {
            const { caFile, certFile, keyFile, webRoot, ...rest } = config;
            return new Dashboard({
              ...rest,
              ca: () => readFileSync(caFile, 'utf8'),
              ...(certFile && keyFile ? { tls: () => ({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }) } : {}),
              ...(webRoot === undefined ? {} : { webRoot }),
              hostIP: context.hostIP,
              nodeName: context.nodeName,
              stateDir: context.stateDir,
              clock,
              random,
              logger: logger.child({ component: 'dashboard' }),
            });
          },
          [AddonContext, Clock, Random, Logger],
        )
        .inSingletonScope();
    }),
});
