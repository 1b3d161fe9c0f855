import { componentCommand, type Command } from '@coxswain/command';

/** The CRI server with no daemon beneath as a program. */
export function crioCommand(): Command {
  return componentCommand('coxswain-cri-o', 'run the CRI server with no daemon beneath alone')
    .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
    .option('--root <folder>', 'images and containers; survives reboots', '/var/lib/coxswain/cri-o')
    .option('--state <folder>', 'state that does not', '/run/coxswain/cri-o')
    .option('--runtimes <list>', 'RuntimeClass handlers, the default first: runc, or name=/path/to/program (default: crun and runc, whichever are installed)')
    .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
    .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
    .option('--insecure-registries <hosts>', 'registries spoken to in plain HTTP; those on loopback always are')
    .option('--registry-mirrors <list>', 'hosts to pull from first, domain=https://host each; *: of every other domain')
    .action(async (flags) => (await import('./run-cri-o.js')).runCrio(flags));
}
