import { rmSync } from 'node:fs';
import { Cgroup, Network, nftDeleteTable, nftTables, umountAll } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { ClusterConfig } from './cluster-spec.js';
import { loadBalancerLink } from './resolve-spec.js';

// What a cluster leaves on a machine, and how each kind goes. All work on whatever is there, also after a crash of everything.

/** Everything of a node's pods lives under this cgroup, so that it is found without asking anybody. */
export function nodeCgroup(config: ClusterConfig): string {
  return `/coxswain-${config.name}`;
}

/** nftables tables of a cluster are this, or begin with this and a dash. */
export function tablePrefix(config: ClusterConfig): string {
  return `coxswain-${config.name}`;
}

/** Kill every process of the cluster's pods. */
export async function killPodProcesses(config: ClusterConfig, clock: Clock): Promise<void> {
  const cgroup = await Cgroup.at(nodeCgroup(config));
  if (await cgroup.exists()) await cgroup.killAll((ms) => clock.sleep(ms));
}

export async function removeCgroups(config: ClusterConfig): Promise<void> {
  const cgroup = await Cgroup.at(nodeCgroup(config));
  if (await cgroup.exists()) await cgroup.delete();
}

export async function unmountAll(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.run);
  await umountAll(config.paths.state);
}

/** The link of load balancers' addresses, and the bridge of the pod network. Pods' ends went with their namespaces; what is still a port of it belongs to a half-made sandbox. */
export async function removeLinks(config: ClusterConfig): Promise<void> {
  const network = new Network();
  const balancers = await network.findLink(loadBalancerLink(config.index));
  if (balancers) await network.deleteLink(balancers.name);
  const bridge = await network.findLink(config.bridge);
  if (!bridge) return;
  for (const link of await network.links()) {
    if (link.masterIndex === bridge.index && link.kind === 'veth') await network.deleteLink(link.name);
  }
  await network.deleteLink(bridge.name);
}

export async function removeTables(config: ClusterConfig): Promise<void> {
  for (const { family, name } of await nftTables()) {
    if (isTableOf(config, name)) await nftDeleteTable(family, name);
  }
}

export function isTableOf(config: ClusterConfig, table: string): boolean {
  return table === tablePrefix(config) || table.startsWith(`${tablePrefix(config)}-`);
}

/** Sockets, pid files, namespaces: what `down` does not keep. */
export function removeRunDir(config: ClusterConfig): void {
  rmSync(config.paths.run, { recursive: true, force: true });
}

/** All of the above, in the order that works. Whoever might start something again must have stopped. */
export async function removeLeftovers(config: ClusterConfig, clock: Clock): Promise<void> {
  await killPodProcesses(config, clock);
  await unmountAll(config);
  await removeCgroups(config);
  await removeLinks(config);
  await removeTables(config);
  removeRunDir(config);
}
