import { execFileSync } from 'node:child_process';
import { serviceProxySuite } from '@coxswain/sdk-testing';
import { NftablesProxy } from './nftables-proxy.js';

serviceProxySuite({
  name: 'nftables',
  create: ({ hostNetns, id, node }) => new NftablesProxy({ table: `cxproxy-${id}`, hostNetns, node }),
  rules: async (hostNetns) => execFileSync('nsenter', [`--net=${hostNetns}`, 'nft', '--stateless', 'list', 'ruleset'], { encoding: 'utf8' }),
});
