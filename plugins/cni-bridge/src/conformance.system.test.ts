import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execInvoker, inProcessInvoker } from '@coxswain/cni';
import { type CniSuiteNetwork, cniSuite } from '@coxswain/sdk-testing';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';
import { bridgePlugins } from './plugins.js';

const plugins = (network: CniSuiteNetwork) => [
  {
    type: 'bridge',
    bridge: network.bridge,
    isDefaultGateway: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir: network.dataDir,
      ranges: [[{ subnet: network.subnet, gateway: network.gateway, ...(network.rangeEnd ? { rangeEnd: network.rangeEnd } : {}) }]],
    },
  },
];

cniSuite({
  name: 'bridge and host-local in process',
  invoker: () => inProcessInvoker(bridgePlugins()),
  plugins,
  versions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'],
});

// As on a host whose bridged packets pass no rules (no br_netfilter).
cniSuite({
  name: "bridge and host-local in process, by the host's routing",
  invoker: () => inProcessInvoker(bridgePlugins()),
  plugins: (network) => plugins(network).map((plugin) => ({ ...plugin, routed: true })),
  versions: ['1.1.0'],
});

// The executable as it is installed: one file, and a link of each plugin's name to it.
const bin = mkdtempSync(join(tmpdir(), 'cni-bin-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));
beforeAll(async () => {
  const outfile = join(bin, 'coxswain-cni.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'bin.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['coxswain-source'],
    external: ['koffi'],
  });
  chmodSync(outfile, 0o755);
  symlinkSync(join(dirname(createRequire(import.meta.url).resolve('@coxswain/linux/package.json')), 'node_modules'), join(bin, 'node_modules'));
  for (const type of ['bridge', 'host-local', 'portmap', 'loopback']) symlinkSync('coxswain-cni.mjs', join(bin, type));
});

cniSuite({
  name: 'bridge and host-local as executables',
  invoker: () => execInvoker({ path: [bin] }),
  plugins,
  versions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'],
});

cniSuite({
  name: "Debian's bridge and host-local",
  invoker: () => execInvoker({ path: ['/usr/lib/cni'] }),
  plugins,
  versions: ['0.3.1', '0.4.0', '1.0.0'],
});
