// A custom API server of one's own: `npm start -- --kubeconfig FILE --address IP`.
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { apiServerRuntime } from '@coxswain/apiserver';
import { type CustomApiServer, type Logger, silentLogger, type ServeApiOptions, systemClock, systemRandom } from '@coxswain/sdk';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { kitchen } from './kitchen.js';
import { Stoves } from './stoves.js';

export interface KitchenOptions extends Omit<ServeApiOptions, 'store'> {
  /** Folder of the recipes. */
  readonly state: string;
  readonly logger?: Logger;
}

/** The server, not yet started, and what to close after it has stopped. */
export async function kitchenServer({
  state,
  logger = silentLogger,
  ...options
}: KitchenOptions): Promise<{ server: CustomApiServer; close(): Promise<void> }> {
  const env = { clock: systemClock, random: systemRandom, logger };
  const store = await openLmdbStore({ path: state, clock: systemClock, logger });
  const server = apiServerRuntime(env).serve(kitchen(new Stoves()), { ...options, store });
  return { server, close: () => store.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { kubeconfig: { type: 'string' }, address: { type: 'string' }, state: { type: 'string', default: '/var/lib/kitchen' } },
  });
  const { kubeconfig = process.env.KUBECONFIG, address, state } = values;
  if (!kubeconfig || !address) throw new Error('give --kubeconfig FILE and --address IP (one the primary reaches; not of loopback)');
  const { server, close } = await kitchenServer({ kubeconfig, address, state, announce: { namespace: 'default' } });
  await server.start(new AbortController().signal);
  console.error(`serving kitchen.example.com/v1alpha1 on ${server.endpoint.url}; Ctrl-C ends it`);
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  await server.stop(AbortSignal.timeout(5000));
  await close();
}
