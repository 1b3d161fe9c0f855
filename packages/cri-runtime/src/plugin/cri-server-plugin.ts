import { parseMirrors } from '@coxswain/oci';
import { Clock, CniPlugin, type ConfigOf, configObject, CriServer, defineCriServer, field, Logger, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { parseRuntimes } from '../oci/oci-programs.js';
import type { CriServerOptions, OciServerOptions } from './server-options.js';

/** Configuration of every CRI server's plugin. `root` survives reboots, `state` lies under /run. */
export const criServerFields = {
  endpoint: field.string(),
  root: field.string(),
  state: field.string(),
  cniConfDir: field.string('/etc/cni/net.d'),
  cniBinDirs: field.list(field.string(), ['/opt/cni/bin', '/usr/lib/cni']),
};

/**
 * Further fields of one that runs OCI runtimes and asks registries itself.
 * `runtimes` are the RuntimeClass handlers, the default first; each is the program's name, or `handler=/path/to/program`.
 */
export const ociServerFields = {
  runtimes: field.list(field.string(), []),
  insecureRegistries: field.list(field.string(), []),
  registryMirrors: field.list(field.string(), []),
};

const criServerSchema = configObject(criServerFields);
const ociServerSchema = configObject(ociServerFields);

/** The options that `ociServerFields` stand for. */
export function ociServerOptions({ runtimes, insecureRegistries, registryMirrors }: ConfigOf<typeof ociServerSchema>): OciServerOptions {
  return { ...parseRuntimes(runtimes), registry: { insecureHosts: [...insecureRegistries], mirrors: parseMirrors(registryMirrors) } };
}

/** What a plugin with `criServerModule` requires. */
export const criServerRequires = [Clock, Random, Logger];

/**
 * The module of a CRI server's plugin: binds `CriServer`, which runs what `start` starts.
 * CNI plugins bound in the same host run in process; others are looked up in `cniBinDirs`.
 */
export function criServerModule(
  name: string,
  config: ConfigOf<typeof criServerSchema>,
  start: (options: CriServerOptions) => Promise<{ stop(): Promise<void> }>,
): ContainerModule {
  const { endpoint, root, state, cniConfDir: confDir, cniBinDirs: binDirs } = config;
  const server = (clock: Clock, random: Random, logger: Logger, plugins: CniPlugin[] = []) =>
    defineCriServer(name, endpoint, async () => {
      const running = await start({ endpoint, root, state, cni: { confDir, binDirs, plugins }, clock, random, logger: logger.child({ component: name }) });
      return () => running.stop();
    });
  return new ContainerModule(({ bind }) => {
    bind(CriServer)
      .toResolvedValue(server, [Clock, Random, Logger, { serviceIdentifier: CniPlugin, isMultiple: true, optional: true }])
      .inSingletonScope();
  });
}
