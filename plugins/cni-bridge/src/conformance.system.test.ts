import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execInvoker, inProcessInvoker } from '@coxswain/cni';
import { type CniSuiteNetwork, cniSuite } from '@coxswain/sdk-testing';
import { afterAll } from 'vitest';
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

// The executable as it is installed, run from source: a script that starts bin.ts under the plugin's name.
const bin = mkdtempSync(join(tmpdir(), 'cni-bin-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));
const tsx = createRequire(import.meta.url).resolve('tsx');
writeFileSync(
  join(bin, 'coxswain-cni'),
  `#!/bin/sh\nexec ${process.execPath} --conditions=coxswain-source --import ${tsx} -e "import('${join(import.meta.dirname, 'main.ts')}').then(async (m) => { process.exitCode = await m.cniMain('$0') })"\n`,
  { mode: 0o755 },
);
for (const type of ['bridge', 'host-local', 'portmap', 'loopback']) symlinkSync('coxswain-cni', join(bin, type));

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
