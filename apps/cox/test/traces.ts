import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ClusterConfig } from '@coxswain/cluster';
import { Cgroup, mounts, Network, nftTables } from '@coxswain/linux';

/** Everything of a cluster that can be seen on the machine, in words; empty after `cox down`. */
export async function tracesOf(config: ClusterConfig): Promise<string[]> {
  const { run, state } = config.paths;
  const found: string[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const cgroup = readFileSync(`/proc/${entry}/cgroup`, 'utf8');
      if (
        args.includes(run) ||
        args.includes(state) ||
        args.includes(`run-node --name ${config.name}`) ||
        args.includes(`run-control-plane --name ${config.name}`)
      )
        found.push(`process ${entry}: ${args}`);
      else if (cgroup.includes(`/coxswain-${config.name}/`)) found.push(`process ${entry} in the cluster's cgroup: ${args}`);
    } catch {
      // It ended while we looked.
    }
  }
  for (const mount of await mounts()) if (mount.mountPoint.startsWith(run) || mount.mountPoint.startsWith(state)) found.push(`mount ${mount.mountPoint}`);
  for (const table of await nftTables()) if (table.name.startsWith(`coxswain-${config.name}`)) found.push(`nft table ${table.name}`);
  const network = new Network();
  const links = await network.links();
  const bridge = links.find((l) => l.name === config.bridge);
  if (bridge) found.push(`link ${bridge.name}`, ...links.filter((l) => l.masterIndex === bridge.index).map((l) => `link ${l.name}`));
  if (await (await Cgroup.at(`/coxswain-${config.name}`)).exists()) found.push('cgroup');
  if (existsSync(run)) found.push(`folder ${run}`);
  return found;
}
