import { rmSync } from 'node:fs';
import {
  type ClusterConfig,
  controlPlaneViews,
  type HostConfig,
  killPodProcesses,
  nodeViews,
  removeCgroups,
  removeHost,
  removeLinks,
  removeLoopDevices,
  removeRunDir,
  removeTables,
  unmountAll,
} from '@coxswain/cluster';
import { umountAll } from '@coxswain/linux';
import { systemClock } from '@coxswain/sdk';
import { supervisionOf } from '../cluster/processes.js';
import { removeIptablesRules } from '../compose/service-proxy.js';
import { runtimeOf } from '../runtimes/registry.js';
import { stopSupervised } from '../supervise/stop-supervised.js';

/** Time the processes every cluster has get to stop by themselves before they are killed. */
const GRACE_MS = 10_000;

/** One step of taking something down. Each works on whatever is left, also after a crash of everything, and is harmless when nothing is. */
export interface TeardownStep {
  readonly title: string;
  run(): Promise<void>;
}

/** Stops the process on every node that has it. */
const stopRole = (views: readonly ClusterConfig[], role: string, graceMs = GRACE_MS): TeardownStep => ({
  title: `stopping the ${role}`,
  async run() {
    await Promise.all(views.map((view) => stopSupervised(supervisionOf(view, role), graceMs)));
  },
});

/** What the runtimes of these nodes have to do, each step once, on the nodes that have the runtime. */
function ofRuntimes(views: readonly ClusterConfig[]): TeardownStep[] {
  return [...new Set(views.map(runtimeOf))].flatMap((runtime) => {
    const own = views.filter((view) => runtimeOf(view) === runtime);
    return [
      ...runtime.teardown.map(({ title, run }) => ({ title, run: async () => void (await Promise.all(own.map(run))) })),
      ...[...runtime.daemons].reverse().map(({ name, graceMs }) => stopRole(own, name, graceMs)),
      ...(runtime.afterDaemons ?? []).map(({ title, run }) => ({ title, run: async () => void (await Promise.all(own.map(run))) })),
    ];
  });
}

/** Takes a whole cluster down. The order matters: who would start things again stops first. */
export function teardownSteps(config: ClusterConfig): readonly TeardownStep[] {
  const nodes = nodeViews(config);
  return [
    stopRole(nodes, 'node'),
    { title: 'killing containers', run: () => killPodProcesses(config, systemClock) },
    ...(config.hosts.length > 0 ? [stopRole([config], 'load-balancer')] : []),
    stopRole(controlPlaneViews(config), 'control-plane'),
    ...(config.etcd?.kind === 'stacked' ? [stopRole(controlPlaneViews(config), 'etcd')] : []),
    ...ofRuntimes(nodes),
    { title: 'unmounting', run: () => unmountAll(config) },
    { title: 'releasing disks', run: () => removeLoopDevices(config) },
    { title: 'removing cgroups', run: () => removeCgroups(config, systemClock) },
    { title: config.hosts.length > 0 ? 'removing hosts and network links' : 'removing network links', run: () => removeLinks(config) },
    { title: 'removing nftables rules', run: () => removeTables(config) },
    // Those of hosts went with them.
    ...(config.hosts.length > 0 ? [] : [{ title: 'removing iptables rules', run: () => removeIptablesRules(config) }]),
    { title: 'removing sockets and pid files', run: async () => removeRunDir(config) },
  ];
}

/** Takes one host of a cluster away, its data too. */
export function hostTeardownSteps(view: ClusterConfig, host: HostConfig): readonly TeardownStep[] {
  return [
    stopRole([view], 'node'),
    { title: 'killing containers', run: () => killPodProcesses(view, systemClock) },
    ...ofRuntimes([view]),
    { title: 'unmounting', run: () => unmountAll(view) },
    { title: 'removing cgroups', run: () => removeCgroups(view, systemClock) },
    { title: 'removing the host', run: () => removeHost(view, host) },
    { title: 'removing sockets and pid files', run: async () => removeRunDir(view) },
    { title: 'removing the data', run: () => purge(view) },
  ];
}

/** Remove what `down` keeps: the store, certificates, images, logs. */
export async function purge(config: ClusterConfig): Promise<void> {
  await umountAll(config.paths.state);
  rmSync(config.paths.state, { recursive: true, force: true });
}
