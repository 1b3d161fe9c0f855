import { componentCommand, type Command } from '@coxswain/command';

/** The CRI server over the Docker Engine as a program. */
export function dockershimCommand(): Command {
  return componentCommand('coxswain-dockershim', 'run the CRI server over the Docker Engine alone')
    .requiredOption('--listen <socket>', 'where to serve CRI, unix:///…')
    .option('--docker-endpoint <socket>', "the Docker Engine's socket, unix:///…", 'unix:///var/run/docker.sock')
    .option('--root <folder>', 'state that survives reboots', '/var/lib/coxswain/dockershim')
    .option('--state <folder>', 'state that does not', '/run/coxswain/dockershim')
    .option('--cni-conf-dir <folder>', 'CNI configuration', '/etc/cni/net.d')
    .option('--cni-bin-dirs <folders>', 'CNI plugins', '/opt/cni/bin,/usr/lib/cni')
    .action(async (flags) => (await import('./run-dockershim.js')).runDockershim(flags));
}
