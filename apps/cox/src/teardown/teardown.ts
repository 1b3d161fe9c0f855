import { rmSync } from 'node:fs';
import { type ClusterConfig, killPodProcesses, removeCgroups, removeLinks, removeRunDir, removeTables, unmountAll } from '@coxswain/cluster';
import { umountAll } from '@coxswain/linux';
import { systemClock } from '@coxswain/sdk';
import { pidFile, runningRoles } from '../cluster/processes.js';
import { removeIptablesRules } from '../compose/service-proxy.js';
import { removePidFile } from '../process/pid-file.js';
import { stopProcess } from '../process/stop-process.js';
import type { NodeRuntime, TeardownStep } from '../runtimes/runtime.js';

/** Time the processes every cluster has get to stop by themselves before they are killed. */
const GRACE_MS = 10_000;

const stopRole = (role: string, graceMs = GRACE_MS): TeardownStep => ({
  title: `stopping the ${role}`,
  async run(config) {
    const running = runningRoles(config).get(role);
    if (running) await stopProcess(running, graceMs);
    removePidFile(pidFile(config, role));
  },
});

/** The order matters: who would start things again stops first. */
export function teardownSteps(runtime: NodeRuntime): readonly TeardownStep[] {
  return [
    stopRole('node'),
    { title: 'killing containers', run: (config) => killPodProcesses(config, systemClock) },
    stopRole('control-plane'),
    ...runtime.teardown,
    ...[...runtime.daemons].reverse().map(({ name, graceMs }) => stopRole(name, graceMs)),
    { title: 'unmounting', run: unmountAll },
    { title: 'removing cgroups', run: removeCgroups },
    { title: 'removing network links', run: removeLinks },
    { title: 'removing nftables rules', run: removeTables },
    { title: 'removing iptables rules', run: removeIptablesRules },
    { title: 'removing sockets and pid files', run: async (config) => removeRunDir(config) },
  ];
}

/** Remove what `down` keeps: the store, certificates, images, logs. */
export async function purge(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.state);
  rmSync(config.paths.state, { recursive: true, force: true });
}
