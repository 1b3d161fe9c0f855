import { readFile } from 'node:fs/promises';
import {
  allocate,
  type CniDns,
  CniError,
  CniErrorCode,
  type CniPlugin,
  type CniRoute,
  CURRENT_VERSION,
  type IpamStore,
  type PluginConf,
  type RangeConf,
  type RangeSet,
  releaseOwner,
  releaseStale,
  resolveRangeSet,
  SUPPORTED_VERSIONS,
} from '@coxswain/cni';
import { diskStore } from './disk-store.js';

export const DEFAULT_DATA_DIR = '/var/lib/cni/networks';

export interface HostLocalOptions {
  /** Where a network's reservations are; default files as upstream has them. */
  readonly store?: (dataDir: string, network: string) => IpamStore;
  readonly dataDir?: string;
}

interface HostLocalConf {
  readonly sets: readonly RangeSet[];
  readonly routes: readonly CniRoute[];
  readonly dataDir: string;
  readonly resolvConf?: string;
}

const invalid = (message: string) => new CniError(CniErrorCode.invalidConfig, `host-local: ${message}`);

function readConf(config: PluginConf, options: HostLocalOptions): HostLocalConf {
  const { ipam } = config;
  if (!ipam) throw invalid('configuration has no "ipam" section');
  const confs: RangeConf[][] = [];
  for (const set of config.runtimeConfig?.ipRanges ?? []) confs.push([...set]);
  // The old form: one range right in the section.
  if (typeof ipam.subnet === 'string') confs.push([ipam as unknown as RangeConf]);
  if (ipam.ranges !== undefined) {
    if (!Array.isArray(ipam.ranges) || !ipam.ranges.every(Array.isArray)) throw invalid('"ranges" must be a list of lists');
    confs.push(...(ipam.ranges as RangeConf[][]));
  }
  if (confs.length === 0) throw invalid('no IP ranges specified');
  const dataDir = typeof ipam.dataDir === 'string' && ipam.dataDir !== '' ? ipam.dataDir : (options.dataDir ?? DEFAULT_DATA_DIR);
  return {
    sets: confs.map(resolveRangeSet),
    routes: Array.isArray(ipam.routes) ? (ipam.routes as CniRoute[]) : [],
    dataDir,
    ...(typeof ipam.resolvConf === 'string' ? { resolvConf: ipam.resolvConf } : {}),
  };
}

/** Addresses the caller asked for: the `ips` capability, `args.cni.ips`, or IP in CNI_ARGS. */
function requestedIps(config: PluginConf, args: Readonly<Record<string, string>>): string[] {
  const fromArgs = (config.args?.cni as { ips?: unknown } | undefined)?.ips;
  const all = [...(config.runtimeConfig?.ips ?? []), ...(Array.isArray(fromArgs) ? (fromArgs as string[]) : []), ...(args.IP ? args.IP.split(',') : [])];
  return [...new Set(all.map((ip) => ip.split('/')[0] ?? '').filter(Boolean))];
}

/** Pure: the settings of a resolv.conf(5). */
export function parseResolvConf(text: string): CniDns {
  const nameservers: string[] = [];
  let domain: string | undefined;
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (key === 'nameserver' && values[0]) nameservers.push(values[0]);
    else if (key === 'domain') domain = values[0];
    else if (key === 'search') search = values;
    else if (key === 'options') options.push(...values);
  }
  return { nameservers, ...(domain ? { domain } : {}), search, options };
}

/** IPAM from ranges in the configuration, remembered on this host. Called by other plugins as their `ipam.type`. */
export function hostLocal(options: HostLocalOptions = {}): CniPlugin {
  const open = options.store ?? diskStore;
  return {
    type: 'host-local',
    supportedVersions: SUPPORTED_VERSIONS,
    async add({ config, containerId, ifname, args }) {
      const conf = readConf(config, options);
      const dns = conf.resolvConf ? parseResolvConf(await readFile(conf.resolvConf, 'utf8')) : undefined;
      const ips = await allocate(open(conf.dataDir, config.name), conf.sets, { containerId, ifname }, requestedIps(config, args));
      return {
        cniVersion: CURRENT_VERSION,
        ips,
        ...(conf.routes.length > 0 ? { routes: conf.routes } : {}),
        ...(dns ? { dns } : {}),
      };
    },
    async check({ config, containerId, ifname }) {
      const conf = readConf(config, options);
      const held = await open(conf.dataDir, config.name).byOwner({ containerId, ifname });
      if (held.length === 0) throw new CniError(CniErrorCode.internal, `host-local: failed to find address added by container ${containerId}`);
    },
    async del({ config, containerId, ifname }) {
      const conf = readConf(config, options);
      await releaseOwner(open(conf.dataDir, config.name), { containerId, ifname });
    },
    async gc({ config, validAttachments }) {
      const conf = readConf(config, options);
      await releaseStale(
        open(conf.dataDir, config.name),
        validAttachments.map(({ containerID, ifname }) => ({ containerId: containerID, ifname })),
      );
    },
    async status({ config }) {
      readConf(config, options);
    },
  };
}
