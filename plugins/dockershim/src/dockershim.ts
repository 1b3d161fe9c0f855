import { Clock, CniPlugin, ComponentStateCell, configObject, CriServer, definePlugin, field, Logger, PluginPoint, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { type Dockershim, type DockershimOptions, startDockershim } from './server.js';

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
            new DockershimServer({
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
export class DockershimServer implements CriServer {
  readonly name = 'dockershim';
  readonly #cell = new ComponentStateCell();
  readonly state$: CriServer['state$'] = this.#cell.state$;
  #running: Dockershim | undefined;

  constructor(private readonly options: DockershimOptions) {}

  get endpoint(): string {
    return this.options.endpoint;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#cell.set('starting');
    try {
      this.#running = await startDockershim(this.options);
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    this.#cell.set('stopping');
    await running.stop();
    this.#cell.set('stopped');
  }
}
