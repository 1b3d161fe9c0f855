import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterConfig } from './cluster-spec.js';

/** Name of the pod network; its nftables table carries it. */
export function podNetworkName(config: ClusterConfig): string {
  return `${config.name}-pods`;
}

/** The CNI configuration of a node's pods: a bridge with addresses of the node's own part of the pod network, and host ports. */
export function cniConflist(config: ClusterConfig, podCIDR: string): object {
  return {
    cniVersion: '1.0.0',
    name: podNetworkName(config),
    plugins: [
      {
        type: 'bridge',
        bridge: config.bridge,
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: podCIDR }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Written whole, so that the CRI server never reads half of it. */
export function writeCniConfig(config: ClusterConfig, podCIDR: string): void {
  mkdirSync(config.paths.cniConf, { recursive: true });
  const file = join(config.paths.cniConf, '10-coxswain.conflist');
  writeFileSync(`${file}.tmp`, `${JSON.stringify(cniConflist(config, podCIDR), undefined, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}
