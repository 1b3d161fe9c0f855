import { execFileSync } from 'node:child_process';
import { serviceProxySuite } from '@coxswain/sdk-testing';
import { IptablesProxy } from './iptables-proxy.js';

for (const backend of ['nft', 'legacy'] as const) {
  serviceProxySuite({
    name: `iptables-${backend}`,
    create: ({ hostNetns, id, node }) => new IptablesProxy({ suffix: id, backend, hostNetns, node }),
    rules: async (hostNetns) =>
      ['iptables', 'ip6tables']
        .flatMap((program) => ['nat', 'filter'].map((table) => [`${program}-${backend}-save`, '-t', table]))
        .map((command) => execFileSync('nsenter', [`--net=${hostNetns}`, ...command], { encoding: 'utf8' }))
        .join('')
        .replace(/^#.*\n/gm, '')
        .replace(/ \[\d+:\d+\]$/gm, ''),
  });
}
