import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Cgroup, loopDevicesOf, mounts, Network, nftTables } from '@coxswain/linux';
import type { ClusterConfig } from './cluster-spec.js';
import { hostLinkName } from './hosts/host-network.js';
import { bridgesOf } from './leftovers.js';
import { isTableOf, nodeCgroup } from './names.js';
import { loadBalancerLink } from './resolve-spec.js';

/** Everything of a cluster that can be seen on the machine, in words; empty when it is down. */
export async function tracesOf(config: ClusterConfig): Promise<string[]> {
  const { run, state } = config.paths;
  const found = processesOf(config);
  for (const { mountPoint } of await mounts()) {
    if (mountPoint.startsWith(`${run}/`) || mountPoint.startsWith(`${state}/`)) found.push(`mount ${mountPoint}`);
  }
  for (const { device, file } of await loopDevicesOf(state)) found.push(`loop device ${device} of ${file}`);
  for (const table of await nftTables()) if (isTableOf(config, table.name)) found.push(`nft table ${table.name}`);
  const links = await new Network().links();
  const balancers = links.find((l) => l.name === loadBalancerLink(config.index));
  if (balancers) found.push(`link ${balancers.name}`);
  const bridges = links.filter(({ name }) => bridgesOf(config).includes(name));
  const ends = config.hosts.map((host) => hostLinkName(config, host));
  for (const bridge of bridges) found.push(`link ${bridge.name}`, ...links.filter((l) => l.masterIndex === bridge.index).map((l) => `link ${l.name}`));
  for (const { name, masterIndex } of links) if (masterIndex === undefined && ends.includes(name)) found.push(`link ${name}`);
  if (await (await Cgroup.at(nodeCgroup(config))).exists()) found.push(`cgroup ${nodeCgroup(config)}`);
  if (existsSync(run)) found.push(`folder ${run}`);
  return found;
}

/** Processes that name one of the cluster's folders, are its background processes, or live in its cgroup; never this one. */
function processesOf(config: ClusterConfig): string[] {
  const { run, state } = config.paths;
  const named = [
    `${run}/`,
    `${state}/`,
    `run-node --name ${config.name} `,
    `run-control-plane --name ${config.name} `,
    `run-load-balancer --name ${config.name} `,
  ];
  const found: string[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const cgroup = readFileSync(`/proc/${entry}/cgroup`, 'utf8');
      if (named.some((text) => args.includes(text))) found.push(`process ${entry}: ${args}`);
      else if (cgroup.includes(`${nodeCgroup(config)}/`)) found.push(`process ${entry} in the cluster's cgroup: ${args}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
