import { Clock, CniPlugin, configObject, CriServer, defineCriServer, definePlugin, field, Logger, PluginPoint, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { type DockershimOptions, startDockershim } from './server.js';

/**
 * Binds `CriServer`. CNI plugins bound in the same host run in process; others are looked up in `cniBinDirs`.
 * Folders: `root` survives reboots, `state` lies under /run.
 */
export const dockershim = definePlugin({
  point: PluginPoint.cri,
  name: 'dockershim',
  description: 'CRI server over the Docker Engine API',
  sdk: '^0.1.0',
  requires: [Clock, Random, Logger],
  config: configObject({
    endpoint: field.string(),
    engineSocket: field.string(),
    root: field.string(),
    state: field.string(),
    cniConfDir: field.string('/etc/cni/net.d'),
    cniBinDirs: field.list(field.string(), ['/opt/cni/bin', '/usr/lib/cni']),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(CriServer)
        .toResolvedValue(
          (clock: Clock, random: Random, logger: Logger, plugins: CniPlugin[] | undefined) =>
            dockershimServer({
              endpoint: config.endpoint,
              engineSocket: config.engineSocket,
              root: config.root,
              state: config.state,
              cni: { confDir: config.cniConfDir, binDirs: config.cniBinDirs, plugins: plugins ?? [] },
              clock,
              random,
              logger: logger.child({ component: 'dockershim' }),
            }),
          [Clock, Random, Logger, { serviceIdentifier: CniPlugin, isMultiple: true, optional: true }],
        )
        .inSingletonScope();
    }),
});

/** The CRI server as a component of a host. */
const dockershimServer = (options: DockershimOptions): CriServer =>
  defineCriServer('dockershim', options.endpoint, async () => {
    const running = await startDockershim(options);
    return () => running.stop();
  });
