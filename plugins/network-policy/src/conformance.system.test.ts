import { execFileSync } from 'node:child_process';
import { networkPolicySuite } from '@coxswain/sdk-testing';
import { PolicyEngine } from './policy-engine.js';

for (const bridge of ['switched', 'routed'] as const) {
  networkPolicySuite({
    name: `nftables, pods on a ${bridge} bridge`,
    bridge,
    create: ({ hostNetns, nodeName }) => new PolicyEngine({ table: 'cxpolicy', hostNetns, nodeName }),
    rules: async (hostNetns) => execFileSync('nsenter', [`--net=${hostNetns}`, 'nft', '--stateless', 'list', 'ruleset'], { encoding: 'utf8' }),
  });
}
