import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cgroup, detachLoopDevicesOf, Network, nftDeleteTable, nftTables, umountAll } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { ClusterConfig } from './cluster-spec.js';
import { loadBalancerLink } from './resolve-spec.js';
import { removeHost } from './hosts/host-network.js';
import { hostView } from './hosts/host-view.js';
import { isTableOf, nodeCgroup } from './names.js';

// What a cluster leaves on a machine, and how each kind goes. All work on whatever is there, also after a crash of everything.

/** Kill every process of the cluster's pods. */
export async function killPodProcesses(config: ClusterConfig, clock: Clock): Promise<void> {
  const cgroup = await Cgroup.at(nodeCgroup(config));
  if (await cgroup.exists()) await cgroup.killAll((ms) => clock.sleep(ms));
}

/** Disks of the local cloud: what was mounted of them is gone by now. */
export async function removeLoopDevices(config: ClusterConfig): Promise<void> {
  await detachLoopDevicesOf(join(config.paths.state, 'cloud'));
}

/** With whatever was started while the rest of the cluster ended: a probe, say. */
export async function removeCgroups(config: ClusterConfig, clock: Clock): Promise<void> {
  const cgroup = await Cgroup.at(nodeCgroup(config));
  if (await cgroup.exists()) await cgroup.clear((ms) => clock.sleep(ms));
}

export async function unmountAll(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.run);
  await umountAll(config.paths.state);
}

/** Load balancers' addresses, the bridges, and hosts with all links inside. Pods' ends went with their namespaces; what is still a port of it belongs to a half-made sandbox. */
export async function removeLinks(config: ClusterConfig): Promise<void> {
  for (const host of config.hosts) await removeHost(hostView(config, host), host);
  const network = new Network();
  const balancers = await network.findLink(loadBalancerLink(config.index));
  if (balancers) await network.deleteLink(balancers.name);
  for (const name of bridgesOf(config)) {
    const bridge = await network.findLink(name);
    if (!bridge) continue;
    for (const link of await network.links()) {
      if (link.masterIndex === bridge.index && link.kind === 'veth') await network.deleteLink(link.name);
    }
    await network.deleteLink(bridge.name);
  }
}

/** Bridges of a cluster on the machine: of pods when the machine is the node, else of hosts, who have those of pods inside. */
export function bridgesOf(config: ClusterConfig): readonly string[] {
  return [config.bridge, config.hostNetwork.bridge];
}

export async function removeTables(config: ClusterConfig): Promise<void> {
  for (const { family, name } of await nftTables()) {
    if (isTableOf(config, name)) await nftDeleteTable(family, name);
  }
}

/** Sockets, pid files, namespaces: what `down` does not keep. */
export function removeRunDir(config: ClusterConfig): void {
  rmSync(config.paths.run, { recursive: true, force: true });
}

/** All of the above, in the order that works. Whoever might start something again must have stopped. */
export async function removeLeftovers(config: ClusterConfig, clock: Clock): Promise<void> {
  await killPodProcesses(config, clock);
  await unmountAll(config);
  await removeLoopDevices(config);
  await removeCgroups(config, clock);
  await removeLinks(config);
  await removeTables(config);
  removeRunDir(config);
}
