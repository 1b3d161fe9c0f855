import { rmSync } from 'node:fs';
import { type ClusterConfig, killPodProcesses, removeCgroups, removeLinks, removeRunDir, removeTables, unmountAll } from '@coxswain/cluster';
import { cleanCriState, killShims } from '@coxswain/cri-containerd';
import { umountAll } from '@coxswain/linux';
import { systemClock } from '@coxswain/sdk';
import { pidFile, type Role, runningRoles } from '../cluster/processes.js';
import { removePidFile } from '../process/pid-file.js';
import { stopProcess } from '../process/stop-process.js';

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
  { title: 'killing containers', run: (config) => killPodProcesses(config, systemClock) },
  stopRole('control-plane'),
  { title: 'releasing pod sandboxes', run: (config) => cleanCriState(config.paths.criRun) },
  { title: 'ending container shims', run: (config) => killShims(config.paths.containerdSocket) },
  stopRole('containerd'),
  { title: 'unmounting', run: unmountAll },
  { title: 'removing cgroups', run: removeCgroups },
  { title: 'removing network links', run: removeLinks },
  { title: 'removing nftables rules', run: removeTables },
  { title: 'removing sockets and pid files', run: async (config) => removeRunDir(config) },
];

/** Remove what `down` keeps: the store, certificates, images, logs. */
export async function purge(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.state);
  rmSync(config.paths.state, { recursive: true, force: true });
}
