import { isIPv4, isIPv6 } from 'node:net';
import { CniError, CniErrorCode, type CniPlugin, type CniResult, type PluginConf, type PortMapping, SUPPORTED_VERSIONS } from '@coxswain/cni';
import { flushConntrack, NftError } from '@coxswain/linux';
import type { Host } from './host.js';
import type { NetworkTable, NetworkTables } from './network-table.js';

const MAPS = ['hostports4', 'hostports6', 'hostports4-by-ip', 'hostports6-by-ip', 'hairpin4', 'hairpin6'] as const;
type MapName = (typeof MAPS)[number];

interface Element {
  readonly map: MapName;
  readonly key: string;
  readonly data?: string;
}

interface Mapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIP?: string;
}

const port = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n > 0 && n < 65536;

function readMappings(mappings: readonly PortMapping[]): Mapping[] {
  return (
    mappings
      // A zero host port is a container port that is only documented.
      .filter((m) => m.hostPort !== 0)
      .map((m) => {
        const protocol = (m.protocol ?? 'tcp').toLowerCase();
        if (!port(m.hostPort) || !port(m.containerPort))
          throw new CniError(CniErrorCode.invalidConfig, `portmap: invalid port mapping ${m.hostPort} to ${m.containerPort}`);
        if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')
          throw new CniError(CniErrorCode.invalidConfig, `portmap: unknown protocol ${JSON.stringify(m.protocol)}`);
        if (m.hostIP && !isIPv4(m.hostIP) && !isIPv6(m.hostIP))
          throw new CniError(CniErrorCode.invalidConfig, `portmap: invalid hostIP ${JSON.stringify(m.hostIP)}`);
        const any = !m.hostIP || m.hostIP === '0.0.0.0' || m.hostIP === '::';
        return { hostPort: m.hostPort, containerPort: m.containerPort, protocol, ...(any ? {} : { hostIP: m.hostIP as string }) };
      })
  );
}

/** The elements that carry the mappings to a container's addresses. Pure. */
export function portmapElements(mappings: readonly Mapping[], addresses: readonly string[]): Element[] {
  const out: Element[] = [];
  for (const address of addresses) {
    const family = isIPv6(address) ? 6 : 4;
    for (const m of mappings) {
      if (m.hostIP !== undefined && (isIPv6(m.hostIP) ? 6 : 4) !== family) continue;
      const key = `${m.protocol} . ${m.hostPort}`;
      out.push({
        map: m.hostIP === undefined ? `hostports${family}` : `hostports${family}-by-ip`,
        key: m.hostIP === undefined ? key : `${m.hostIP} . ${key}`,
        data: `${address} . ${m.containerPort}`,
      });
    }
    if (mappings.length > 0) out.push({ map: `hairpin${family}`, key: `${address} . ${address}` });
  }
  return out;
}

function containerAddresses(result: CniResult): string[] {
  return (result.ips ?? [])
    .filter((ip) => ip.interface === undefined || Boolean(result.interfaces?.[ip.interface]?.sandbox))
    .map((ip) => ip.address.split('/')[0] ?? '');
}

/** Elements of a table that belong to an attachment, by their comment. Reads nft's JSON. */
function ownedElements(objects: readonly Record<string, unknown>[], owns: (comment: string) => boolean): Element[] {
  const out: Element[] = [];
  const text = (val: unknown): string => {
    if (typeof val === 'object' && val !== null && 'concat' in val) return (val.concat as unknown[]).map(text).join(' . ');
    return String(val);
  };
  for (const object of objects) {
    const map = (object.map ?? object.set) as { name: string; elem?: unknown[] } | undefined;
    if (!map?.elem || !(MAPS as readonly string[]).includes(map.name)) continue;
    for (const entry of map.elem) {
      const side = (Array.isArray(entry) ? entry[0] : entry) as { elem?: { val: unknown; comment?: string } };
      if (side.elem?.comment !== undefined && owns(side.elem.comment)) {
        out.push({ map: map.name as MapName, key: text(side.elem.val), ...(Array.isArray(entry) ? { data: text(entry[1]) } : {}) });
      }
    }
  }
  return out;
}

/** Opens host ports to a container, after a plugin that gave it an address. Wants the `portMappings` capability. */
export function portmap(host: Host, tables: NetworkTables): CniPlugin {
  const tableOf = (config: PluginConf): NetworkTable => tables.of(config.name, typeof config.nftTablePrefix === 'string' ? config.nftTablePrefix : undefined);
  const comment = (r: { containerId: string; ifname: string }) => `${r.containerId} ${r.ifname}`.slice(0, 127);
  const mappingsOf = (config: PluginConf) => readMappings(config.runtimeConfig?.portMappings ?? []);
  const remove = async (table: NetworkTable, owns: (comment: string) => boolean): Promise<void> => {
    const objects = await table.list();
    if (!objects) return;
    const elements = ownedElements(objects, owns);
    if (elements.length === 0) return;
    await table.apply(elements.map((e) => `delete element TABLE ${e.map} { ${e.key}${e.data === undefined ? '' : ` : ${e.data}`} }`));
  };
  const flushUdp = async (mappings: readonly Mapping[]): Promise<void> => {
    for (const m of mappings) if (m.protocol === 'udp') await flushConntrack({ protocol: 'udp', originalPort: m.hostPort }, host.nft);
  };

  return {
    type: 'portmap',
    supportedVersions: SUPPORTED_VERSIONS,
    async add(request) {
      const { config } = request;
      const previous = config.prevResult;
      if (!previous) throw new CniError(CniErrorCode.invalidConfig, 'portmap: must be called as a chained plugin, after one that gives an address');
      const mappings = mappingsOf(config);
      if (mappings.length === 0) return previous;
      const addresses = containerAddresses(previous);
      if (addresses.length === 0) throw new CniError(CniErrorCode.invalidConfig, 'portmap: the container has no address');
      const table = tableOf(config);
      const owner = comment(request);
      await remove(table, (c) => c === owner);
      const lines = portmapElements(mappings, addresses).map((e) => {
        const value = `${e.key} comment "${owner}"${e.data === undefined ? '' : ` : ${e.data}`}`;
        // `create` refuses a port that is taken; `add` would keep the other silently when the data is the same.
        return `${e.data === undefined ? 'add' : 'create'} element TABLE ${e.map} { ${value} }`;
      });
      // The host's loopback may be the source: let it out to the bridge, and nothing from the bridge in to it.
      const uplink = previous.interfaces?.find((i) => !i.sandbox)?.name;
      if (uplink) {
        await host.sysctl(`net/ipv4/conf/${uplink}/route_localnet`, '1');
        lines.push(`add element TABLE loopback-bridges { "${uplink}" }`);
      }
      try {
        await table.apply(lines);
      } catch (error) {
        if (error instanceof NftError && /File exists/.test(error.stderr)) {
          throw new CniError(
            CniErrorCode.internal,
            `portmap: a host port of ${mappings.map((m) => `${m.hostPort}/${m.protocol}`).join(', ')} is taken already`,
            error.stderr.trim(),
            { cause: error },
          );
        }
        throw error;
      }
      await flushUdp(mappings);
      return previous;
    },
    async check(request) {
      const { config } = request;
      if (!config.prevResult) throw new CniError(CniErrorCode.invalidConfig, 'portmap: required prevResult is missing');
      const wanted = portmapElements(mappingsOf(config), containerAddresses(config.prevResult));
      if (wanted.length === 0) return;
      const owner = comment(request);
      const present = new Set(ownedElements((await tableOf(config).list()) ?? [], (c) => c === owner).map((e) => `${e.map} ${e.key}`));
      const lost = wanted.find((e) => !present.has(`${e.map} ${e.key}`));
      if (lost) throw new CniError(CniErrorCode.internal, `portmap: host port ${lost.key} is not mapped any more`);
    },
    async del(request) {
      const { config } = request;
      // Without mappings nothing was made; a damaged one must not stop the deletion.
      if ((config.runtimeConfig?.portMappings ?? []).length === 0) return;
      const owner = comment(request);
      await remove(tableOf(config), (c) => c === owner);
      await flushUdp(
        (config.runtimeConfig?.portMappings ?? []).filter((m) => m.protocol?.toLowerCase() === 'udp').map((m) => ({ ...m, protocol: 'udp' as const })),
      );
    },
    async gc({ config, validAttachments }) {
      const valid = new Set(validAttachments.map((a) => comment({ containerId: a.containerID, ifname: a.ifname })));
      await remove(tableOf(config), (c) => !valid.has(c));
    },
    async status({ config }) {
      tableOf(config).forget();
    },
  };
}
