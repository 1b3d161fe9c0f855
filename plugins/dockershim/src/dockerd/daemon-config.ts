import { join } from 'node:path';

export interface DockerdPaths {
  /** Images and containers; survives reboots. */
  readonly root: string;
  /** Sockets and pid files; does not. At most 60 characters, for the paths of the sockets in it. */
  readonly state: string;
  readonly socket: string;
  /** Further OCI runtimes by RuntimeClass handler: paths of programs. */
  readonly runtimes?: Readonly<Record<string, string>>;
}

/** daemon.json. Pure. Nothing of it is on the command line, because dockerd refuses what is said twice. */
export function daemonConfig({ root, state, socket, runtimes = {} }: DockerdPaths): string {
  const config = {
    'data-root': join(root, 'data'),
    'exec-root': state,
    pidfile: join(state, 'engine.pid'),
    hosts: [`unix://${socket}`],
    // Pods' networks are CNI's.
    bridge: 'none',
    iptables: false,
    ip6tables: false,
    'ip-masq': false,
    'ip-forward': false,
    'userland-proxy': false,
    // Containers outlive the engine, as they outlive us.
    'live-restore': true,
    'storage-driver': 'overlay2',
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    runtimes: Object.fromEntries(Object.entries(runtimes).map(([name, path]) => [name, { path }])),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
