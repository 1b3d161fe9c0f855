import type { ClusterConfig } from './cluster-spec.js';

// Names by which what belongs to a cluster is found on a machine without asking anybody.

/** Everything of a node's pods lives under this cgroup; that of a cluster holds those of its hosts. */
export function nodeCgroup(config: ClusterConfig): string {
  return config.host ? `/coxswain-${config.name}/${config.host.name}` : `/coxswain-${config.name}`;
}

/** nftables tables of a cluster are this, or begin with this and a dash. */
export function tablePrefix(config: ClusterConfig): string {
  return `coxswain-${config.name}`;
}

export function isTableOf(config: ClusterConfig, table: string): boolean {
  return table === tablePrefix(config) || table.startsWith(`${tablePrefix(config)}-`);
}
