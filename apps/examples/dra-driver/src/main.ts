// Serves the LEDs of a node to its kubelet: `npm start -- --node NAME`; `--help` lists the flags.
import { join } from 'node:path';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { componentCommand, componentMain, list } from '@coxswain/command';
import { createLogger, only, runComponents } from '@coxswain/command/run';
import { serveDra } from '@coxswain/dra';
import { defineComponent } from '@coxswain/sdk';
import { DRIVER, LedDriver } from './led-driver.js';
import { publishLeds } from './publish-leds.js';

const command = componentCommand('led-driver', 'gives the LEDs of a node to pods that claim them')
  .requiredOption('--node <name>', 'the node this runs on')
  .option('--kubeconfig <file>', 'how to reach the API server (default: $KUBECONFIG)')
  .option('--kubelet-dir <folder>', 'of its kubelet', '/var/lib/kubelet')
  .option('--cdi-dir <folder>', 'where its runtime reads CDI specifications', '/var/run/cdi')
  .option('--leds <names>', 'the LEDs it has', list, ['red', 'green', 'blue'])
  .action(async ({ node, kubeconfig, kubeletDir, cdiDir, leds, logLevel }) => {
    const logger = createLogger(logLevel, 'led-driver');
    const driver = defineComponent('led-driver', async () => {
      const client = new KubeClient({ transport: transportFromKubeconfig(kubeconfig === undefined ? {} : { path: kubeconfig }) });
      await publishLeds(client, node, leds);
      const server = await serveDra({
        name: DRIVER,
        driver: new LedDriver(client, cdiDir),
        endpoint: `unix://${join(kubeletDir, 'plugins', DRIVER, 'dra.sock')}`,
        registration: `unix://${join(kubeletDir, 'plugins_registry', `${DRIVER}-reg.sock`)}`,
        onStatus: ({ registered, error }) => (registered ? logger.info('registered with the kubelet', { node }) : logger.warn('not taken', { error })),
      });
      return async () => {
        await server.close();
        await client.close();
      };
    });
    await runComponents('led-driver', logLevel, [only(() => driver)]);
  });

await componentMain(command, new URL('../package.json', import.meta.url));
