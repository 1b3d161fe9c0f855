import { addCriServerFlags, addOciFlags, type Command, componentCommand } from '@coxswain/command';

/** The CRI server with no daemon beneath as a program. */
export function crioCommand(): Command {
  const command = componentCommand('coxswain-cri-o', 'run the CRI server with no daemon beneath alone');
  return addOciFlags(addCriServerFlags(command, { name: 'cri-o', root: 'images and containers; survives reboots' })).action(async (flags) =>
    (await import('./run-cri-o.js')).runCrio(flags),
  );
}
