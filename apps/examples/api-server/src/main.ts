// A custom API server of one's own: `npm start -- --kubeconfig FILE --address IP`.
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { apiServerRuntime } from '@coxswain/apiserver';
import { clientCommand, componentMain } from '@coxswain/command';
import { createLogger, only, runComponents } from '@coxswain/command/run';
import { type CustomApiServer, defineComponent, type Logger, silentLogger, type ServeApiOptions, systemClock, systemRandom } from '@coxswain/sdk';
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

const command = clientCommand('kitchen', 'serves recipes and stoves as kitchen.example.com/v1alpha1')
  .requiredOption('--address <ip>', 'where to listen: one the primary reaches, not of loopback')
  .option('--state <folder>', 'of the recipes', '/var/lib/kitchen')
  .action(async ({ kubeconfig, address, state, logLevel }) => {
    const logger = createLogger(logLevel, 'kitchen');
    const component = defineComponent('kitchen', async (signal) => {
      const { server, close } = await kitchenServer({ kubeconfig, address, state, logger, announce: { namespace: 'default' } });
      await server.start(signal);
      logger.info('serving', { url: server.endpoint.url });
      return async (deadline) => {
        await server.stop(deadline);
        await close();
      };
    });
    await runComponents('kitchen', logLevel, [only(() => component)]);
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) await componentMain(command, new URL('../package.json', import.meta.url));
