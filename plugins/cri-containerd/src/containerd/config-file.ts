/** Where an own containerd keeps its things. */
export interface ContainerdPaths {
  /** Images, snapshots, metadata: survives a reboot. */
  readonly root: string;
  /** Runtime state: under /run. */
  readonly state: string;
  readonly socket: string;
}

// Ours replaces `cri`; the others need what such machines lack or cost start-up time.
const DISABLED = ['cri', 'aufs', 'btrfs', 'devmapper', 'zfs', 'native', 'nri', 'opt', 'restart', 'tracing', 'otlp'];

/** containerd's configuration (version 2) with only the plugins we use. Pure. */
export function containerdConfig(paths: ContainerdPaths): string {
  const quote = (text: string) => JSON.stringify(text);
  const plugin: Record<string, string> = {
    cri: 'io.containerd.grpc.v1.cri',
    aufs: 'io.containerd.snapshotter.v1.aufs',
    btrfs: 'io.containerd.snapshotter.v1.btrfs',
    devmapper: 'io.containerd.snapshotter.v1.devmapper',
    zfs: 'io.containerd.snapshotter.v1.zfs',
    native: 'io.containerd.snapshotter.v1.native',
    opt: 'io.containerd.internal.v1.opt',
    restart: 'io.containerd.internal.v1.restart',
    tracing: 'io.containerd.internal.v1.tracing',
    otlp: 'io.containerd.tracing.processor.v1.otlp',
    nri: 'io.containerd.nri.v1.nri',
  };
  return [
    'version = 2',
    `root = ${quote(paths.root)}`,
    `state = ${quote(paths.state)}`,
    `disabled_plugins = [${DISABLED.map((name) => quote(plugin[name] as string)).join(', ')}]`,
    'oom_score = 0',
    '[grpc]',
    `  address = ${quote(paths.socket)}`,
    '[ttrpc]',
    `  address = ${quote(`${paths.socket}.ttrpc`)}`,
    '[debug]',
    '  address = ""',
    '  level = "warn"',
    '[metrics]',
    '  address = ""',
    '',
  ].join('\n');
}
