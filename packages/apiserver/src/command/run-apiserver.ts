import { CliError, type LogLevel, processFlags } from '@coxswain/command';
import { runComponents } from '@coxswain/command/run';
import { ApiServerFlagError, createApiServer, parseApiServerFlags } from '../index.js';
import { component } from '@coxswain/host';
import { Clock, Logger, type PluginUse, Random, StateStore, use } from '@coxswain/sdk';
import { lmdbStore } from '@coxswain/store-lmdb';
import { flagsOf } from './flags-of.js';

/** What a stopping server has after `--shutdown-delay-duration`. */
const STOP_MS = 30_000;

export async function runApiServer(values: Readonly<Record<string, string>> & { readonly store: string; readonly logLevel: LogLevel }): Promise<void> {
  try {
    const config = parseApiServerFlags(flagsOf(values));
    return await runComponents(
      'kube-apiserver',
      values.logLevel,
      [
        component('apiserver', [StateStore, Clock, Random, Logger], (store, clock, random, logger) =>
          createApiServer(config, { store, clock, random, logger, flags: processFlags() }),
        ),
      ],
      [await storeOf(config.etcd, values.store)],
      [],
      config.shutdownDelayMs + STOP_MS,
    );
  } catch (error) {
    if (error instanceof ApiServerFlagError) throw new CliError(error.message, '--help lists the flags', 2);
    throw error;
  }
}

type EtcdConfig = ReturnType<typeof parseApiServerFlags>['etcd'];

/** A real etcd when servers are named, whose client is loaded then; else the embedded store. */
async function storeOf({ servers, caFile, certFile, keyFile }: EtcdConfig, embedded: string): Promise<PluginUse> {
  if (servers.length > 0) return use((await import('@coxswain/store-etcd')).etcdStore, { endpoints: servers, caFile, certFile, keyFile });
  if (caFile ?? certFile ?? keyFile)
    throw new CliError('certificate files for etcd were given, but no --etcd-servers', 'name the members, or leave the files out', 2);
  return use(lmdbStore, { path: embedded });
}
