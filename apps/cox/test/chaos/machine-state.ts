import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type ClusterConfig, hostLauncher, nodeViews } from '@coxswain/cluster';

const run = promisify(execFile);

/**
 * What a cluster has on a machine, in lines, but for what has another name with every start: the same before a workload came and after it
 * has gone, or something leaked.
 */
export async function machineState(config: ClusterConfig): Promise<string[]> {
  const lines: string[] = [];
  for (const view of nodeViews(config)) {
    const where = view.host ? `${view.host.name}: ` : '';
    const add = (what: readonly string[]) => lines.push(...what.map((line) => where + line));
    add(foldersOf(view).flatMap((folder) => entries(folder)));
    add(await links(view));
    add(await rules(view));
    add(mountsSeenBy(view));
  }
  return [...new Set([...lines, ...cgroups(config), ...processes(config), ...temporaryFiles(config.paths.state), ...temporaryFiles(config.paths.run)])].sort();
}

/** Folders with an entry for every pod, container, address… */
function foldersOf({ paths }: ClusterConfig): string[] {
  const oci = join(paths.criRun, 'oci');
  const inside = (folder: string) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);
  return [
    ...['containers', 'sandboxes', 'cni'].map((name) => join(paths.cri, name)),
    ...['exec', 'bundles', 'containers', 'sandboxes', 'exits', 's'].map((name) => join(paths.criRun, name)),
    ...inside(paths.ipam),
    ...inside(oci),
    join(paths.kubelet, 'pods'),
    paths.podLogs,
    paths.containerLogs,
  ];
}

function entries(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('last_reserved_ip') && name !== 'lock')
    .map((name) => `entry ${join(folder, name)}`);
}

async function links(view: ClusterConfig): Promise<string[]> {
  const [program = '', ...args] = [...hostLauncher(view), 'ip', '-o', 'link', 'show', 'type', 'veth'];
  const { stdout } = await run(program, args);
  const links = stdout.split('\n').filter((line) => view.host || line.includes(` master ${view.bridge} `));
  return links.flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []).map((name) => `link ${name}`);
}

async function rules(view: ClusterConfig): Promise<string[]> {
  const [program = '', ...args] = [...hostLauncher(view), 'nft', '--stateless', 'list', 'ruleset'];
  const { stdout } = await run(program, args, { maxBuffer: 64 * 1024 * 1024 });
  const tables = stdout
    .split(/^(?=table )/m)
    .filter((table) => view.host || (table.startsWith('table') && table.split(' ')[2]?.startsWith(`coxswain-${view.name}`)));
  return tables.flatMap((table) => {
    const [title = '', ...lines] = table.split('\n');
    return lines.filter((line) => line.trim() !== '').map((line) => `rule ${title} ${line.trim().replace(/(dnat ip to \S+:)\d+$/, '$1…')}`);
  });
}

/** Of the node's process, which may have mounts of its own, and of this one. */
function mountsSeenBy({ paths }: ClusterConfig): string[] {
  const node = /"pid":(\d+)/.exec(readFileSync(join(paths.run, 'node.pid'), 'utf8'))?.[1] ?? 'self';
  return [node, 'self'].flatMap((pid) =>
    readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((target) => target.startsWith(`${paths.run}/`) || target.startsWith(`${paths.state}/`))
      .map((target) => `mount ${target}`),
  );
}

function cgroups({ name }: ClusterConfig): string[] {
  const root = '/sys/fs/cgroup';
  return ['', ...readdirSync(root)].flatMap((hierarchy) => {
    const top = join(root, hierarchy, `coxswain-${name}`);
    const found = existsSync(top) ? readdirSync(top, { recursive: true, withFileTypes: true }) : [];
    return found.filter((entry) => entry.isDirectory()).map((entry) => `cgroup ${join(entry.parentPath, entry.name)}`);
  });
}

/** By what they are and how many: their ids change. */
function processes({ paths }: ClusterConfig): string[] {
  const counts = new Map<string, number>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const text = args.join(' ');
      const name = basename(args[0] ?? '');
      const role = /run-(node|control-plane|load-balancer) /.exec(text)?.[0] ?? '';
      const own = text.includes(`${paths.run}/`) || text.includes(`${paths.state}/`);
      if (own && name !== 'nsenter') counts.set(`${name} ${role}`, (counts.get(`${name} ${role}`) ?? 0) + 1);
    } catch {
      // It ended while we looked.
    }
  }
  return [...counts].map(([name, count]) => `processes ${name}: ${count}`);
}

/** What was to be renamed to its final name. */
function temporaryFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const found: string[] = [];
  const visit = (at: string, depth: number) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (/\.tmp|^tmp|~$|\.new$|\.partial/.test(entry.name)) found.push(`temporary ${path}`);
      else if (entry.isDirectory() && depth < 8 && !/^(images|rootfs|upper|proc|containerd|dockershim|docker)$/.test(entry.name)) {
        try {
          visit(path, depth + 1);
        } catch {
          // It went while we looked.
        }
      }
    }
  };
  visit(folder, 0);
  return found;
}
