import { createHash } from 'node:crypto';
import {
  type CniInterface,
  type CniIp,
  CniError,
  CniErrorCode,
  type CniPlugin,
  type CniRequest,
  type CniResult,
  type CniRoute,
  CURRENT_VERSION,
  formatIp,
  parseSubnet,
  type PluginConf,
  SUPPORTED_VERSIONS,
} from '@coxswain/cni';
import { AlreadyExistsError, ipToBytes, type LinkInfo, LinuxError, type Network, NotFoundError, type RouteSpec } from '@coxswain/linux';
import { type BridgeConf, readBridgeConf } from './bridge-conf.js';
import type { Host } from './host.js';
import { DEFAULT_TABLE_PREFIX, type NetworkTables } from './network-table.js';

const isV6 = (address: string) => address.includes(':');
const bare = (cidr: string) => cidr.split('/')[0] ?? '';
const prefixOf = (cidr: string) => Number(cidr.split('/')[1]);

/** The host's end of the pair, by name from the attachment: DEL finds it though nothing else is left. */
export function hostVethName(containerId: string, ifname: string): string {
  return `veth${createHash('sha256').update(`${containerId}/${ifname}`).digest('hex').slice(0, 8)}`;
}

/** A stable address from the IP: when an IP is used again, neighbours that remember it still reach it. */
export function macFor(ip: string): string {
  const bytes = ipToBytes(ip);
  const tail = bytes.length === 4 ? bytes : createHash('sha256').update(bytes).digest().subarray(0, 4);
  return `0a:58:${Array.from(tail, (b) => b.toString(16).padStart(2, '0')).join(':')}`;
}

function gatewayCidr(ip: CniIp): string {
  return `${ip.gateway}/${prefixOf(ip.address)}`;
}

/** Connects containers to a Linux bridge, with addresses from the `ipam` plugin. */
export function bridge(host: Host, tables: NetworkTables): CniPlugin {
  const ensuring = new Map<string, Promise<LinkInfo>>();

  const makeBridge = async (conf: BridgeConf): Promise<LinkInfo> => {
    let link = await host.network.findLink(conf.bridge);
    if (!link) {
      try {
        // A fixed address: else the bridge takes the lowest of its ports', and changes it as they come and go.
        const digest = createHash('sha256').update(`bridge/${conf.bridge}`).digest('hex');
        const mac = `02:${digest.slice(0, 10).replace(/(..)(?=.)/g, '$1:')}`;
        await host.network.createBridge({ name: conf.bridge, up: true, mac, ...(conf.mtu ? { mtu: conf.mtu } : {}) });
        await host.sysctl(`net/ipv6/conf/${conf.bridge}/accept_dad`, '0').catch(() => {});
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
      }
      link = await host.network.link(conf.bridge);
    }
    if (link.kind !== 'bridge')
      throw new CniError(CniErrorCode.invalidConfig, `bridge: ${conf.bridge} exists and is not a bridge but ${link.kind || 'a device'}`);
    if (!link.up || (conf.promiscMode && !link.promiscuous)) {
      await host.network.setLink(link.index, { up: true, ...(conf.promiscMode ? { promiscuous: true } : {}) });
    }
    return link;
  };
  // Many pods start at once: one of them makes the bridge, the others wait for it.
  const ensureBridge = (conf: BridgeConf): Promise<LinkInfo> => {
    let running = ensuring.get(conf.bridge);
    if (!running) {
      running = makeBridge(conf).finally(() => ensuring.delete(conf.bridge));
      ensuring.set(conf.bridge, running);
    }
    return running;
  };

  const ensureGateway = async (conf: BridgeConf, link: LinkInfo, ips: readonly CniIp[]): Promise<void> => {
    const families = new Set(ips.map((ip) => (isV6(ip.address) ? 6 : 4) as 4 | 6));
    const present = await host.network.addresses(link.index, families.size === 1 ? [...families][0] : undefined);
    for (const ip of ips) {
      const wanted = gatewayCidr(ip);
      if (present.some((a) => `${a.address}/${a.prefix}` === wanted)) continue;
      const others = present.filter((a) => isV6(a.address) === isV6(ip.address) && a.scope === 0);
      // IPv6 links carry several addresses naturally; a second IPv4 subnet on the bridge is somebody else's.
      const foreign = isV6(ip.address) ? [] : others;
      if (foreign.length > 0 && !conf.forceAddress) {
        throw new CniError(CniErrorCode.internal, `bridge: ${conf.bridge} already has an IP address different from ${wanted}`);
      }
      for (const a of foreign) await host.network.deleteAddress(link.index, `${a.address}/${a.prefix}`);
      await host.network.addAddress(link.index, wanted).catch((error) => {
        if (!(error instanceof AlreadyExistsError)) throw error;
      });
    }
    if (ips.some((ip) => !isV6(ip.address))) await host.sysctl('net/ipv4/ip_forward', '1');
    if (ips.some((ip) => isV6(ip.address))) await host.sysctl('net/ipv6/conf/all/forwarding', '1');
  };

  /**
   * A service's translation happens on the way through the host. An answer that took the short way over the bridge would
   * miss it, unless bridged packets pass the host's rules too (br_netfilter).
   */
  const mustRoute = async (conf: BridgeConf): Promise<boolean> => {
    if (conf.routed !== undefined) return conf.routed;
    return conf.isGateway && (await host.readSysctl('net/bridge/bridge-nf-call-iptables')) !== '1';
  };

  const setUpContainer = async (network: Network, index: number, ips: readonly CniIp[], routes: readonly CniRoute[], routed: boolean): Promise<void> => {
    const specs: RouteSpec[] = routes.map((route) => {
      const gateway = route.gw ?? ips.find((ip) => isV6(ip.address) === isV6(route.dst))?.gateway;
      return {
        destination: route.dst,
        ...(gateway ? { gateway } : {}),
        ...(route.mtu ? { mtu: route.mtu } : {}),
        ...(route.advmss ? { advmss: route.advmss } : {}),
        ...(route.priority !== undefined ? { metric: route.priority } : {}),
        ...(route.table !== undefined ? { table: route.table } : {}),
      };
    });
    const throughHost = (ip: CniIp) => routed && Boolean(ip.gateway) && !isV6(ip.address);
    const subnets = ips.filter(throughHost).flatMap(({ address, gateway = '' }): RouteSpec[] => {
      const { first, family } = parseSubnet(address);
      const source = bare(address);
      return [
        { destination: `${gateway}/32`, source },
        { destination: `${formatIp({ family, value: first })}/${prefixOf(address)}`, gateway, source },
      ];
    });
    await network.configureLink(index, {
      addresses: ips.map((ip) => ({ cidr: ip.address, subnetRoute: !throughHost(ip) })),
      routes: [...subnets, ...specs],
    });
  };

  const masquerade = async (config: PluginConf, conf: BridgeConf, ips: readonly CniIp[]): Promise<void> => {
    const prefix = typeof config.nftTablePrefix === 'string' ? config.nftTablePrefix : undefined;
    await tables.of(config.name, prefix).ensure([
      ...ips.map((ip) => {
        const { family, first } = parseSubnet(ip.address);
        return { set: `masquerade${family}`, element: `${formatIp({ family, value: first })}/${prefixOf(ip.address)}` };
      }),
      ...conf.masqueradeExclude.map((subnet) => ({ set: isV6(subnet) ? 'keep6' : 'keep4', element: subnet })),
    ]);
  };

  const ipamConfig = (config: PluginConf): PluginConf | undefined => (config.ipam?.type ? { ...config, type: config.ipam.type } : undefined);

  const removeLinks = async (request: CniRequest): Promise<void> => {
    const gone = (error: unknown) => {
      const ok =
        error instanceof NotFoundError || (error as NodeJS.ErrnoException).code === 'ENOENT' || (error instanceof LinuxError && error.code === 'EINVAL');
      if (!ok) throw error;
    };
    const hostEnd = await host.network.findLink(hostVethName(request.containerId, request.ifname));
    // Either end takes the other with it.
    if (hostEnd) await host.network.deleteLink(hostEnd.index).catch(gone);
    else if (request.netns !== '') await host.inside(request.netns).deleteLink(request.ifname).catch(gone);
  };

  const add = async (request: CniRequest): Promise<CniResult> => {
    const { config, containerId, netns, ifname, delegate, signal } = request;
    const conf = readBridgeConf(config);
    const inside = host.inside(netns);
    const link = await ensureBridge(conf);
    const ipam = ipamConfig(config);
    const leased = ipam ? await delegate.invoke({ command: 'ADD', containerId, netns, ifname, args: request.args, config: ipam }, signal) : undefined;
    try {
      const ips = (leased?.ips ?? []).map((ip) => {
        if (ip.gateway || !conf.isGateway) return ip;
        const { family, first } = parseSubnet(ip.address);
        return { ...ip, gateway: formatIp({ family, value: first + 1n }) };
      });
      if (ipam && ips.length === 0) throw new CniError(CniErrorCode.internal, `bridge: IPAM plugin ${ipam.type} returned no address`);
      const routes = [...(leased?.routes ?? [])];
      if (conf.isDefaultGateway) {
        for (const ip of ips) {
          const dst = isV6(ip.address) ? '::/0' : '0.0.0.0/0';
          if (!routes.some((r) => r.dst === dst)) routes.push({ dst, ...(ip.gateway ? { gw: ip.gateway } : {}) });
        }
      }
      const hostName = hostVethName(containerId, ifname);
      const mac = conf.mac ?? (ips[0] ? macFor(bare(ips[0].address)) : undefined);
      const { link: hostEnd, peer: containerEnd } = await host.network.createVeth({
        name: hostName,
        up: true,
        master: link.index,
        ...(conf.mtu ? { mtu: conf.mtu } : {}),
        peer: { name: ifname, netns, up: true, ...(mac ? { mac } : {}), ...(conf.mtu ? { mtu: conf.mtu } : {}) },
      });
      const routed = await mustRoute(conf);
      await Promise.all([
        setUpContainer(inside, containerEnd.index, ips, routes, routed),
        conf.hairpinMode || conf.portIsolation
          ? host.network.setBridgePort(hostEnd.index, { ...(conf.hairpinMode ? { hairpin: true } : {}), ...(conf.portIsolation ? { isolated: true } : {}) })
          : undefined,
        conf.isGateway ? ensureGateway(conf, link, ips) : undefined,
      ]);
      if (routed) {
        // Traffic turns around on the bridge by intent: no redirects to the short way.
        await host.sysctl('net/ipv4/conf/all/send_redirects', '0');
        await host.sysctl(`net/ipv4/conf/${conf.bridge}/send_redirects`, '0');
      }
      if (conf.ipMasq) await masquerade(config, conf, ips);
      const interfaces: CniInterface[] = [
        { name: conf.bridge, mac: link.mac },
        { name: hostName, mac: hostEnd.mac },
        { name: ifname, mac: containerEnd.mac, sandbox: netns, mtu: containerEnd.mtu },
      ];
      return {
        cniVersion: CURRENT_VERSION,
        interfaces,
        ips: ips.map((ip) => ({ ...ip, interface: 2 })),
        ...(routes.length > 0 ? { routes } : {}),
        dns: leased?.dns && Object.keys(leased.dns).length > 0 ? leased.dns : (config.dns ?? {}),
      };
    } catch (error) {
      // Only what this call made: an interface of that name may be another attachment's.
      await host.network.deleteLink(hostVethName(containerId, ifname)).catch(() => {});
      if (ipam) await delegate.invoke({ command: 'DEL', containerId, netns, ifname, args: request.args, config: ipam }).catch(() => {});
      if (error instanceof AlreadyExistsError)
        throw new CniError(CniErrorCode.internal, `bridge: container already has an interface ${ifname}`, error.message, { cause: error });
      throw error;
    }
  };

  return {
    type: 'bridge',
    supportedVersions: SUPPORTED_VERSIONS,
    async add(request) {
      try {
        return await add(request);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' && /netns|namespace|open/.test((error as Error).message)) {
          throw new CniError(CniErrorCode.unknownContainer, `bridge: failed to open network namespace ${request.netns}`, (error as Error).message, {
            cause: error,
          });
        }
        throw error;
      }
    },

    async check(request) {
      const { config, ifname, netns, delegate, signal } = request;
      const conf = readBridgeConf(config);
      const previous = config.prevResult;
      if (!previous) throw new CniError(CniErrorCode.invalidConfig, 'bridge: required prevResult is missing');
      const ipam = ipamConfig(config);
      if (ipam) await delegate.invoke({ command: 'CHECK', containerId: request.containerId, netns, ifname, args: request.args, config: ipam }, signal);
      const broken = (what: string) => new CniError(CniErrorCode.internal, `bridge: ${what}`);
      const link = await host.network.findLink(conf.bridge);
      if (link?.kind !== 'bridge') throw broken(`bridge ${conf.bridge} is missing`);
      const inside = host.inside(netns);
      const container = await inside.findLink(ifname);
      if (!container) throw broken(`interface ${ifname} is missing in ${netns}`);
      if (!container.up) throw broken(`interface ${ifname} is down`);
      const recorded = previous.interfaces?.find((i) => i.name === ifname && i.sandbox);
      if (recorded?.mac && recorded.mac !== container.mac) throw broken(`interface ${ifname} has MAC ${container.mac}, not ${recorded.mac}`);
      const hostEnd = (await host.network.links()).find((l) => l.index === container.peerIndex);
      if (!hostEnd || hostEnd.masterIndex !== link.index) throw broken(`interface ${ifname} is not connected to ${conf.bridge}`);
      if (!hostEnd.up) throw broken(`host interface ${hostEnd.name} is down`);
      const addresses = (await inside.addresses(container.index)).map((a) => `${a.address}/${a.prefix}`);
      for (const ip of previous.ips ?? []) {
        const owner = ip.interface === undefined ? undefined : previous.interfaces?.[ip.interface];
        if (owner && owner.name !== ifname) continue;
        if (!addresses.includes(ip.address)) throw broken(`address ${ip.address} is missing on ${ifname}`);
      }
      const present = new Set((await inside.routes()).map((r) => r.destination));
      for (const route of previous.routes ?? []) if (!present.has(route.dst)) throw broken(`route to ${route.dst} is missing in ${netns}`);
    },

    async del(request) {
      const { config, containerId, netns, ifname, delegate, signal } = request;
      readBridgeConf(config);
      await removeLinks(request);
      const ipam = ipamConfig(config);
      // Last, so that an address is not given out again while its old interface still answers.
      if (ipam) await delegate.invoke({ command: 'DEL', containerId, netns, ifname, args: request.args, config: ipam }, signal);
    },

    async gc({ config, validAttachments, delegate, signal }) {
      const conf = readBridgeConf(config);
      const valid = new Set(validAttachments.map((a) => hostVethName(a.containerID, a.ifname)));
      const link = await host.network.findLink(conf.bridge);
      if (link) {
        const ports = (await host.network.links()).filter((l) => l.masterIndex === link.index && l.kind === 'veth' && /^veth[0-9a-f]{8}$/.test(l.name));
        for (const port of ports) if (!valid.has(port.name)) await host.network.deleteLink(port.index);
      }
      const ipam = ipamConfig(config);
      if (ipam) await delegate.invoke({ command: 'GC', config: { ...ipam, 'cni.dev/valid-attachments': validAttachments } }, signal);
    },

    async status({ config, delegate, signal }) {
      const conf = readBridgeConf(config);
      if (conf.ipMasq) tables.of(config.name, typeof config.nftTablePrefix === 'string' ? config.nftTablePrefix : DEFAULT_TABLE_PREFIX).forget();
      const ipam = ipamConfig(config);
      if (!ipam) return;
      if (!(await delegate.has(ipam.type))) throw new CniError(CniErrorCode.notAvailable, `bridge: IPAM plugin ${ipam.type} is not installed`);
      await delegate.invoke({ command: 'STATUS', config: ipam }, signal);
    },
  };
}
