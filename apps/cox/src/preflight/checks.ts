import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

/** The outcome of looking at one thing the machine must have. `fix` says what to do. */
export type CheckResult =
  | { readonly name: string; readonly ok: true; readonly detail: string }
  | { readonly name: string; readonly ok: false; readonly problem: string; readonly fix: string; readonly fatal: boolean };

const MIN_CONTAINERD = [1, 6] as const;
const MIN_FREE_BYTES = 512 * 1024 * 1024;

export function checkLinux(platform: NodeJS.Platform = process.platform): CheckResult {
  const name = 'Linux';
  return platform === 'linux'
    ? { name, ok: true, detail: 'yes' }
    : { name, ok: false, fatal: true, problem: `containers need Linux, this is ${platform}`, fix: 'run Coxswain in a Linux machine or virtual machine' };
}

export function checkRoot(uid: number | undefined = process.getuid?.()): CheckResult {
  const name = 'root';
  return uid === 0
    ? { name, ok: true, detail: 'yes' }
    : { name, ok: false, fatal: true, problem: 'network namespaces, mounts and cgroups need root', fix: 'run the command as root, for example with sudo' };
}

/** `versionArgs` prints a version; the first `x.y` in it is compared. */
export function checkProgram(program: string, debianPackage: string, versionArgs: readonly string[], minimum?: readonly [number, number]): CheckResult {
  const fix = `apt-get install ${debianPackage}`;
  const result = spawnSync(program, versionArgs, { encoding: 'utf8' });
  if (result.error) return { name: program, ok: false, fatal: true, problem: `${program} is not installed`, fix };
  const text = `${result.stdout}${result.stderr}`;
  const match = /(\d+)\.(\d+)(\.\d+)?/.exec(text);
  if (!match) return { name: program, ok: false, fatal: false, problem: `${program} ${versionArgs.join(' ')} does not tell its version`, fix };
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (minimum && (major < minimum[0] || (major === minimum[0] && minor < minimum[1]))) {
    return { name: program, ok: false, fatal: true, problem: `${program} ${match[0]} is too old; ${minimum.join('.')} or newer is needed`, fix };
  }
  return { name: program, ok: true, detail: match[0] };
}

export const checkContainerd = (program = 'containerd') => checkProgram(program, 'containerd', ['--version'], MIN_CONTAINERD);
export const checkRunc = () => checkProgram('runc', 'runc', ['--version'], [1, 0]);
/** Either will do; crun starts containers with less work. */
export function checkOciRuntime(): CheckResult {
  const crun = checkProgram('crun', 'crun', ['--version'], [1, 8]);
  return crun.ok ? crun : checkRunc();
}

export const checkIptables = () => checkProgram('iptables', 'iptables', ['--version'], [1, 8]);
export const checkNft = () => checkProgram('nft', 'nftables', ['--version'], [1, 0]);

/** A member of a cluster's own etcd. */
export const checkEtcd = () => checkProgram('etcd', 'etcd-server', ['--version'], [3, 4]);

/** Runs a program on a host of this machine's. */
export const checkNsenter = () => checkProgram('nsenter', 'util-linux', ['--version']);

/** Sees to it that a process of the cluster has no two supervisors. Looked for only: it is a part of every system, and starting it costs time. */
export function checkFlock(path = process.env['PATH'] ?? ''): CheckResult {
  const name = 'flock';
  const found = [...path.split(':'), '/usr/bin', '/bin'].find((folder) => folder !== '' && existsSync(join(folder, name)));
  if (found !== undefined) return { name, ok: true, detail: join(found, name) };
  return { name, ok: false, fatal: true, problem: 'flock is not installed', fix: 'apt-get install util-linux' };
}

/** Needs a folder that exists on the way up from `path`. */
export async function checkDisk(path: string): Promise<CheckResult> {
  const name = 'disk space';
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const mib = `${Math.floor(free / 1024 / 1024)} MiB free on ${folder}`;
  if (free >= MIN_FREE_BYTES) return { name, ok: true, detail: mib };
  return {
    name,
    ok: false,
    fatal: true,
    problem: `${mib}; at least ${MIN_FREE_BYTES / 1024 / 1024} MiB are needed`,
    fix: 'free some space, or set COXSWAIN_STATE_DIR to a folder on another disk',
  };
}

/** Of a folder that may have to be made. `variable` chooses another. */
export function checkWritable(path: string, variable: string): CheckResult {
  const name = path;
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) throw new Error('it is not a folder');
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name, ok: true, detail: 'can be written' };
  } catch (error) {
    const problem = `${folder} cannot be written: ${(error as Error).message.replace(/, access .*/, '')}`;
    return { name, ok: false, fatal: true, problem, fix: `make it a folder that root can write, or set ${variable} to another` };
  }
}

export async function checkPort(port: number, what: string, flag?: string): Promise<CheckResult> {
  const name = `port ${port}`;
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(undefined)));
  });
  if (!error) return { name, ok: true, detail: `free for the ${what}` };
  const fix =
    flag === undefined
      ? `stop what listens there (ss -ltnp 'sport = :${port}')`
      : `choose another with ${flag}, or stop what listens there (ss -ltnp 'sport = :${port}')`;
  return { name, ok: false, fatal: true, problem: `port ${port}, wanted for the ${what}, is in use`, fix };
}

export function checkCgroups(): CheckResult {
  const name = 'cgroups';
  for (const file of ['/sys/fs/cgroup/cgroup.controllers', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    if (existsSync(file)) return { name, ok: true, detail: file.includes('controllers') ? 'v2' : 'v1' };
  }
  return { name, ok: false, fatal: true, problem: 'neither cgroup v2 nor the v1 memory controller is mounted', fix: 'mount cgroups under /sys/fs/cgroup' };
}

export function checkOverlay(): CheckResult {
  const name = 'overlayfs';
  try {
    accessSync('/proc/filesystems', constants.R_OK);
    const listed = spawnSync('sh', ['-c', 'grep -qw overlay /proc/filesystems || modprobe overlay'], { encoding: 'utf8' });
    if (listed.status === 0) return { name, ok: true, detail: 'yes' };
  } catch {
    // told below
  }
  return { name, ok: false, fatal: true, problem: 'the kernel has no overlay file system', fix: 'load it with: modprobe overlay' };
}
