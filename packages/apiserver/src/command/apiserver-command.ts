import { type Command, componentCommand, Option, repeatable } from '@coxswain/command';
import { apiServerFlags } from '../options.js';

/** Flags that are on when they stand alone. */
const switches = new Set(['anonymous-auth', 'enable-bootstrap-token-auth', 'enable-priority-and-fairness']);

/** kube-apiserver as a program, with upstream's flag names, from the API server's own table. */
export function apiserverCommand(): Command {
  const command = componentCommand('coxswain-apiserver', 'run kube-apiserver alone, on the embedded store or on etcd').option(
    '--store <folder>',
    'folder of the embedded store, without --etcd-servers',
    '/var/lib/coxswain/store',
  );
  for (const [name, meaning] of Object.entries(apiServerFlags)) {
    const option = switches.has(name)
      ? new Option(`--${name} [boolean]`, meaning).preset('true')
      : new Option(`--${name} <value>`, meaning).argParser(repeatable);
    command.addOption(option);
  }
  return command.action(async (values) => (await import('./run-apiserver.js')).runApiServer(values));
}
