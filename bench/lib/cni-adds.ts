// Run by bench/cni.mjs in a network namespace of its own. Attaches pods to a bridge in process, and prints what that took as JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cni, diskCache, inProcessInvoker, type NetworkList } from '../../packages/cni/src/index.js';
import { createPinnedNamespaces, deletePinnedNamespaces } from '../../packages/linux/src/index.js';
import { bridgePlugins } from '../../plugins/cni-bridge/src/index.js';

const COUNT = Number(process.argv[2] ?? 100);
const dir = mkdtempSync(join(tmpdir(), 'bench-cni-'));
const made: string[] = [];
const namespace = async (name: string) => {
  made.push(join(dir, name));
  return (await createPinnedNamespaces({ dir: join(dir, name), kinds: ['net'] })).net ?? '';
};
try {
  const cni = new Cni(inProcessInvoker(bridgePlugins()), diskCache(join(dir, 'results')));
  const network: NetworkList = {
    cniVersion: '1.1.0',
    name: 'bench',
    disableCheck: false,
    disableGC: false,
    plugins: [
      {
        type: 'bridge',
        bridge: 'cox0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', dataDir: join(dir, 'ipam'), ranges: [[{ subnet: '10.244.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const attachments: { containerId: string; netns: string; ifname: string }[] = [];
  for (let i = 0; i < COUNT + 5; i++) attachments.push({ containerId: `pod-${i}`, netns: await namespace(`pod-${i}`), ifname: 'eth0' });
  const add: number[] = [];
  const del: number[] = [];
  let cpu = process.cpuUsage();
  for (const [i, attachment] of attachments.entries()) {
    // The first ones make the bridge and the table, and warm the code up.
    if (i === 5) cpu = process.cpuUsage();
    const begin = performance.now();
    await cni.add(network, attachment);
    if (i >= 5) add.push(performance.now() - begin);
  }
  const { user, system } = process.cpuUsage(cpu);
  for (const attachment of attachments) {
    const begin = performance.now();
    await cni.del(network, attachment);
    del.push(performance.now() - begin);
  }
  console.log(JSON.stringify({ add, del, cpuMs: (user + system) / 1000 / COUNT }));
} finally {
  for (const each of made.reverse()) await deletePinnedNamespaces(each);
  rmSync(dir, { recursive: true, force: true });
}
