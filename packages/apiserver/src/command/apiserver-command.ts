import { addDebuggingFlags, addSettledFlags, type Command, componentCommand, Option, repeatable } from '@coxswain/command';
import { apiServerFlags } from '../options.js';
import { settledFlags } from './settled-flags.js';

/** Flags that are on when they stand alone. */
const switches = new Set([
  'allow-privileged',
  'anonymous-auth',
  'audit-log-batch-throttle-enable',
  'audit-log-compress',
  'audit-webhook-batch-throttle-enable',
  'enable-bootstrap-token-auth',
  'enable-priority-and-fairness',
  'profiling',
  'service-account-extend-token-expiration',
]);

/** Flags that gather what they are given; of others the last one counts, as upstream. */
const gathering = new Set([
  'api-audiences',
  'authorization-mode',
  'cors-allowed-origins',
  'disable-admission-plugins',
  'enable-admission-plugins',
  'etcd-servers',
  'kubelet-preferred-address-types',
  'oidc-required-claim',
  'oidc-signing-algs',
  'requestheader-allowed-names',
  'requestheader-extra-headers-prefix',
  'requestheader-group-headers',
  'requestheader-uid-headers',
  'requestheader-username-headers',
  'runtime-config',
  'service-account-issuer',
  'service-account-key-file',
  'strict-transport-security-directives',
  'tls-cipher-suites',
]);

/** kube-apiserver as a program, with upstream's flag names, from the API server's own table. */
export function apiserverCommand(): Command {
  const command = componentCommand('coxswain-apiserver', 'run kube-apiserver alone, on the embedded store or on etcd').option(
    '--store <folder>',
    'folder of the embedded store, without --etcd-servers',
    '/var/lib/coxswain/store',
  );
  for (const [name, meaning] of Object.entries(apiServerFlags)) command.addOption(optionOf(name, meaning));
  addDebuggingFlags(command);
  addSettledFlags(command, settledFlags);
  return command.action(async (values) => (await import('./run-apiserver.js')).runApiServer(values));
}

function optionOf(name: string, meaning: string): Option {
  if (switches.has(name)) return new Option(`--${name} [boolean]`, meaning).preset('true');
  const option = new Option(`--${name} <value>`, meaning);
  if (gathering.has(name)) return option.argParser(repeatable);
  // Its values have commas of their own.
  if (name === 'tls-sni-cert-key') return option.argParser((text: string, before: string | undefined) => (before === undefined ? text : `${before}\n${text}`));
  return option;
}
