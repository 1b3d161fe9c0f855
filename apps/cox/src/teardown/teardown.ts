import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig } from '@coxswain/cluster';
import { cleanCriState } from '@coxswain/cri-containerd';
import { Cgroup, Network, nftDeleteTable, nftTables, umountAll } from '@coxswain/linux';
import { pidFile, type Role, runningRoles } from '../cluster/processes.js';
import { removePidFile } from '../process/pid-file.js';
import { stopProcess } from '../process/stop-process.js';
import { killShims } from './shims.js';

/** Time the parts get to stop by themselves before they are killed. */
const GRACE_MS: Record<Role, number> = { node: 10_000, 'control-plane': 10_000, containerd: 5_000 };

/** One step of taking a cluster down. Each works on whatever is left, also after a crash of everything, and is harmless when nothing is. */
export interface TeardownStep {
  readonly title: string;
  run(config: ClusterConfig): Promise<void>;
}

const stopRole = (role: Role): TeardownStep => ({
  title: `stopping the ${role}`,
  async run(config) {
    const running = runningRoles(config).get(role);
    if (running) await stopProcess(running, GRACE_MS[role]);
    removePidFile(pidFile(config, role));
  },
});

/** The order matters: who would start things again stops first. */
export const teardownSteps: readonly TeardownStep[] = [
  stopRole('node'),
  {
    title: 'killing containers',
    async run(config) {
      const cgroup = await Cgroup.at(cgroupRoot(config));
      if (await cgroup.exists()) await cgroup.killAll((ms) => sleep(ms));
    },
  },
  stopRole('control-plane'),
  { title: 'releasing pod sandboxes', run: (config) => cleanCriState(config.paths.criRun) },
  { title: 'ending container shims', run: (config) => killShims(config.paths.containerdSocket) },
  stopRole('containerd'),
  {
    title: 'unmounting',
    async run(config) {
      await umountAll(config.paths.run);
      await umountAll(config.paths.state);
    },
  },
  {
    title: 'removing cgroups',
    async run(config) {
      const cgroup = await Cgroup.at(cgroupRoot(config));
      if (await cgroup.exists()) await cgroup.delete();
    },
  },
  { title: 'removing network links', run: removeLinks },
  { title: 'removing nftables rules', run: removeTables },
  {
    title: 'removing sockets and pid files',
    async run(config) {
      rmSync(config.paths.run, { recursive: true, force: true });
    },
  },
];

/** Every process of a cluster's pods lives under this cgroup. */
export function cgroupRoot(config: ClusterConfig): string {
  return `/coxswain-${config.name}`;
}

async function removeLinks(config: ClusterConfig): Promise<void> {
  const network = new Network();
  const bridge = await network.findLink(config.bridge);
  if (!bridge) return;
  // Pods' ends went with their namespaces; what is still a port of the bridge belongs to a half-made sandbox.
  for (const link of await network.links()) {
    if (link.masterIndex === bridge.index && link.kind === 'veth') await network.deleteLink(link.name);
  }
  await network.deleteLink(bridge.name);
}

/** All tables that this cluster's plugins make carry its name. */
export function tablePrefix(config: ClusterConfig): string {
  return `coxswain-${config.name}`;
}

async function removeTables(config: ClusterConfig): Promise<void> {
  for (const { family, name } of await nftTables()) {
    if (name === tablePrefix(config) || name.startsWith(`${tablePrefix(config)}-`)) await nftDeleteTable(family, name);
  }
}

/** Remove what `down` keeps: the store, certificates, images, logs. */
export async function purge(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.state);
  rmSync(config.paths.state, { recursive: true, force: true });
}
