import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { serveDra } from '@coxswain/dra';
import { DRIVER, LedDriver } from './led-driver.js';
import { publishLeds } from './publish-leds.js';

const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    'kubelet-dir': { type: 'string', default: '/var/lib/kubelet' },
    'cdi-dir': { type: 'string', default: '/var/run/cdi' },
    leds: { type: 'string', default: 'red,green,blue' },
  },
});
if (!values.node) throw new Error('--node: the name of the node this runs on');

const client = new KubeClient({ transport: transportFromKubeconfig() });
await publishLeds(client, values.node, values.leds.split(','));
const server = await serveDra({
  name: DRIVER,
  driver: new LedDriver(client, values['cdi-dir']),
  endpoint: `unix://${join(values['kubelet-dir'], 'plugins', DRIVER, 'dra.sock')}`,
  registration: `unix://${join(values['kubelet-dir'], 'plugins_registry', `${DRIVER}-reg.sock`)}`,
  onStatus: ({ registered, error }) => console.log(registered ? `registered with the kubelet of ${values.node}` : `not taken: ${error}`),
});
const end = () => void server.close().then(() => client.close());
process.once('SIGTERM', end).once('SIGINT', end);
