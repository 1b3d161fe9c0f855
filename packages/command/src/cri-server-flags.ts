import type { Command } from 'commander';
import type { LogLevel } from './log-level.js';
import { list } from './option-values.js';

/** Values of the flags that every CRI server's program has, as `addCriServerFlags` adds them. */
export interface CriServerFlags {
  readonly listen: string;
  readonly root: string;
  readonly state: string;
  readonly cniConfDir: string;
  readonly cniBinDirs: string;
  readonly logLevel: LogLevel;
}

/** Of `addOciFlags`. */
export interface OciFlags {
  readonly runtimes?: string;
  readonly insecureRegistries?: string;
  readonly registryMirrors?: string;
}

/** The flags of every CRI server: where it serves, keeps its state, and finds CNI. `name`: of its folders; `root`: what `--root` holds. */
export function addCriServerFlags(
  command: Command,
  { name, root = 'state that survives reboots' }: { readonly name: string; readonly root?: string },
): Command {
  return command
    .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
    .option('--root <folder>', root, `/var/lib/coxswain/${name}`)
    .option('--state <folder>', 'state that does not', `/run/coxswain/${name}`)
    .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
    .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni');
}

/** Further flags of one that runs OCI runtimes and asks registries itself. */
export function addOciFlags(command: Command): Command {
  return command
    .option('--runtimes <list>', 'RuntimeClass handlers, the default first: runc, or name=/path/to/program (default: crun and runc, whichever are installed)')
    .option('--insecure-registries <hosts>', 'registries spoken to in plain HTTP; those on loopback always are')
    .option('--registry-mirrors <list>', 'hosts to pull from first, domain=https://host each; *: of every other domain');
}

/** As the plugins' configuration has them. */
export function criServerConfig({ listen, root, state, cniConfDir, cniBinDirs }: CriServerFlags) {
  return { endpoint: listen, root, state, cniConfDir, cniBinDirs: list(cniBinDirs) };
}

/** As the plugins' configuration has them. */
export function ociConfig({ runtimes, insecureRegistries, registryMirrors }: OciFlags) {
  return {
    ...(runtimes === undefined ? {} : { runtimes: list(runtimes) }),
    insecureRegistries: list(insecureRegistries ?? ''),
    registryMirrors: list(registryMirrors ?? ''),
  };
}
