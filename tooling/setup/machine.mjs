import { readFileSync } from 'node:fs';
import { fail, output, root, run, step } from './run.mjs';

/** Debian packages by the program that shows they are there. */
const runtimePackages = { conmon: 'conmon', crun: 'crun', containerd: 'containerd', runc: 'runc', nft: 'nftables', ip: 'iproute2', conntrack: 'conntrack' };
const testPackages = {
  busybox: 'busybox-static',
  unzip: 'unzip',
  iptables: 'iptables',
  dockerd: 'docker.io',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  chromium: 'chromium',
};

/** Check what cannot be installed: the system, the user, Node. */
export function checkMachine() {
  if (process.platform !== 'linux') fail(`Coxswain runs containers on Linux; this is ${process.platform}`);
  if (process.getuid?.() !== 0) fail('Coxswain makes network namespaces, mounts and cgroups: run this as root');
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or newer is needed; this is ${process.version}`);
}

/** Install the Debian packages whose programs are missing. */
export function installPackages({ forTests = false } = {}) {
  const wanted = { ...runtimePackages, ...(forTests ? testPackages : {}) };
  const missing = Object.entries(wanted).filter(([program]) => output('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]) === undefined);
  if (forTests && output('sh', ['-c', 'test -x /usr/lib/cni/bridge']) === undefined) missing.push(['/usr/lib/cni/bridge', 'containernetworking-plugins']);
  if (missing.length === 0) return;
  if (output('sh', ['-c', 'command -v apt-get']) === undefined) {
    fail(`these programs are missing: ${missing.map(([p]) => p).join(', ')}; there is no apt-get here, so install them and run this again`);
  }
  const packages = [...new Set(missing.map(([, name]) => name))];
  step(`installing Debian packages: ${packages.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  // Never start the packages' own services: clusters bring their own containerd.
  if (!run('apt-get', ['update', '-qq'], quiet)) step('apt-get update failed; trying with the lists at hand');
  if (!run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet)) {
    fail(`could not install ${packages.join(' ')}; install them by hand and run this again`);
  }
}

/** The package manager, pinned in package.json; through npx when it is not on the machine in that version. */
export function pnpm() {
  const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const version = packageManager.split('@')[1];
  return output('pnpm', ['--version'])?.trim() === version ? { command: 'pnpm', prefix: [] } : { command: 'npx', prefix: ['--yes', `pnpm@${version}`] };
}

/**
 * turbo's command line. turbo wants the package manager's program on its PATH, where a fresh machine has none: `pnpm exec`
 * puts itself there.
 */
export function turbo(...args) {
  const { command, prefix } = pnpm();
  return [command, [...prefix, 'exec', 'turbo', 'run', ...args, '--output-logs=errors-only']];
}

/** Install npm dependencies exactly as the lock file has them. */
export function installDependencies() {
  step('installing npm packages');
  const { command, prefix } = pnpm();
  const args = [...prefix, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
  if (!run(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }) && !run(command, args)) fail('npm packages could not be installed');
}
