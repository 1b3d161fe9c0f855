import { Clock, CniPlugin, configObject, CriServer, defineCriServer, definePlugin, field, Logger, PluginPoint, Random } from '@coxswain/sdk';
import { parseRuntimes } from '@coxswain/cri-runtime';
import { parseMirrors } from '@coxswain/oci';
import { ContainerModule } from 'inversify';
import { type CriContainerdOptions, startCriContainerd } from './server.js';

/**
 * Binds `CriServer`. `cniPlugins` bound in the same host run in process; others are looked up in `cniBinDirs`.
 * `runtimes` are the RuntimeClass handlers, the default first; each is the program's name, or `handler=/path/to/program`.
 * Folders: `root` survives reboots, `state` lies under /run.
 */
export const criContainerd = definePlugin({
  point: PluginPoint.cri,
  name: 'cri-containerd',
  description: "CRI server over containerd's own API",
  sdk: '^0.1.0',
  requires: [Clock, Random, Logger],
  config: configObject({
    endpoint: field.string(),
    containerdSocket: field.string(),
    containerdRoot: field.string(),
    root: field.string(),
    state: field.string(),
    runtimes: field.list(field.string(), []),
    cniConfDir: field.string('/etc/cni/net.d'),
    cniBinDirs: field.list(field.string(), ['/opt/cni/bin', '/usr/lib/cni']),
    insecureRegistries: field.list(field.string(), []),
    registryMirrors: field.list(field.string(), []),
  }),
  module: (config) =>
    new ContainerModule(({ bind }) => {
      bind(CriServer)
        .toResolvedValue(
          (clock: Clock, random: Random, logger: Logger, plugins: CniPlugin[] | undefined) =>
            containerdCriServer({
              endpoint: config.endpoint,
              containerdSocket: config.containerdSocket,
              containerdRoot: config.containerdRoot,
              root: config.root,
              state: config.state,
              ...parseRuntimes(config.runtimes),
              cni: { confDir: config.cniConfDir, binDirs: config.cniBinDirs, plugins: plugins ?? [] },
              registry: { insecureHosts: [...config.insecureRegistries], mirrors: parseMirrors(config.registryMirrors) },
              clock,
              random,
              logger: logger.child({ component: 'cri-containerd' }),
            }),
          [Clock, Random, Logger, { serviceIdentifier: CniPlugin, isMultiple: true, optional: true }],
        )
        .inSingletonScope();
    }),
});

/** The CRI server as a component of a host. */
const containerdCriServer = (options: CriContainerdOptions): CriServer =>
  defineCriServer('cri-containerd', options.endpoint, async () => {
    const running = await startCriContainerd(options);
    return () => running.stop();
  });
