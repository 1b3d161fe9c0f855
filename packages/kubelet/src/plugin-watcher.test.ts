import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CSI_PLUGIN, serveRegistration } from '@coxswain/csi';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { expect, test } from 'vitest';
import { PluginWatcher } from './plugin-watcher.js';

test('plugins that hang, or speak something else, keep no other from being registered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plugins-'));
  const stop = new AbortController();
  const [hangs, rubbish] = [createServer(() => {}), createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\nrubbish'))];
  hangs.listen(join(folder, 'a-hangs.sock'));
  rubbish.listen(join(folder, 'b-rubbish.sock'));
  const registered: string[] = [];
  const handler = { register: async ({ name }: { name: string }) => void registered.push(name), unregister: async () => {} };
  const watching = new PluginWatcher(folder, { [CSI_PLUGIN]: handler }, systemClock, silentLogger).run(stop.signal);
  const plugin = await serveRegistration({ endpoint: `unix://${folder}/c-good.sock`, driver: 'good', driverEndpoint: 'unix:///nowhere' });
  try {
    await expect.poll(() => registered, { timeout: 4000 }).toEqual(['good']);
  } finally {
    stop.abort();
    await watching;
    await plugin.close();
    hangs.close();
    rubbish.close();
    rmSync(folder, { recursive: true });
  }
});
