import { componentCommand, type Command } from '@coxswain/command';

/** The CRI server over containerd as a program. */
export function criContainerdCommand(): Command {
  return componentCommand('coxswain-cri-containerd', 'run the CRI server over containerd alone')
    .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
    .option('--containerd-socket <path>', "containerd's socket", '/run/containerd/containerd.sock')
    .option('--containerd-root <folder>', "containerd's root", '/var/lib/containerd')
    .option('--root <folder>', 'state that survives reboots', '/var/lib/coxswain/cri-containerd')
    .option('--state <folder>', 'state that does not', '/run/coxswain/cri-containerd')
    .option('--runtimes <list>', 'RuntimeClass handlers, the default first: runc, or name=/path/to/program (default: crun and runc, whichever are installed)')
    .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
    .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
    .option('--insecure-registries <hosts>', 'registries spoken to in plain HTTP; those on loopback always are')
    .option('--registry-mirrors <list>', 'hosts to pull from first, domain=https://host each; *: of every other domain')
    .action(async (flags) => (await import('./run-cri-containerd.js')).runCriContainerd(flags));
}
