import { addCriServerFlags, type Command, componentCommand } from '@coxswain/command';

/** The CRI server over the Docker Engine as a program. */
export function dockershimCommand(): Command {
  return addCriServerFlags(componentCommand('coxswain-dockershim', 'run the CRI server over the Docker Engine alone'), { name: 'dockershim' })
    .option('--docker-endpoint <socket>', "the Docker Engine's socket, unix:///…", 'unix:///var/run/docker.sock')
    .action(async (flags) => (await import('./run-dockershim.js')).runDockershim(flags));
}
