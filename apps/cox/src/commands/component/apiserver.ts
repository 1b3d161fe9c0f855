import { ApiServerFlagError, apiServerFlags, createApiServer, parseApiServerFlags } from '@coxswain/apiserver';
import { component } from '@coxswain/host';
import { Clock, Logger, Random, StateStore, use } from '@coxswain/sdk';
import { lmdbStore } from '@coxswain/store-lmdb';
import type { Command } from 'commander';
import { CliError } from '../../cli-error.js';
import type { LogLevel } from '../../logger.js';
import { runComponents } from './run-component.js';

/** Upstream's flags, from the API server's own table, for `--help`. */
export function addApiServerFlags(command: Command): Command {
  for (const [name, meaning] of Object.entries(apiServerFlags)) command.option(`--${name} <value>`, meaning);
  return command;
}

/** `values` are commander's, by camel-cased name. */
export function runApiServer(values: Readonly<Record<string, string>> & { readonly store: string; readonly logLevel: LogLevel }): Promise<void> {
  const camel = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const flags = Object.fromEntries(Object.keys(apiServerFlags).map((name) => [name, values[camel(name)]]));
  try {
    const config = parseApiServerFlags(flags);
    return runComponents(
      'kube-apiserver',
      values.logLevel,
      [
        component('apiserver', [StateStore, Clock, Random, Logger], (store, clock, random, logger) =>
          createApiServer(config, { store, clock, random, logger }),
        ),
      ],
      [use(lmdbStore, { path: values.store })],
    );
  } catch (error) {
    if (error instanceof ApiServerFlagError) throw new CliError(error.message, 'cox apiserver --help lists the flags', 2);
    throw error;
  }
}
