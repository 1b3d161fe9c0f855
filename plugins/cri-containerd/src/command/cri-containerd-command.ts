import { addCriServerFlags, addOciFlags, type Command, componentCommand } from '@coxswain/command';

/** The CRI server over containerd as a program. */
export function criContainerdCommand(): Command {
  const command = componentCommand('coxswain-cri-containerd', 'run the CRI server over containerd alone');
  return addOciFlags(addCriServerFlags(command, { name: 'cri-containerd' }))
    .option('--containerd-socket <path>', "containerd's socket", '/run/containerd/containerd.sock')
    .option('--containerd-root <folder>', "containerd's root", '/var/lib/containerd')
    .action(async (flags) => (await import('./run-cri-containerd.js')).runCriContainerd(flags));
}
