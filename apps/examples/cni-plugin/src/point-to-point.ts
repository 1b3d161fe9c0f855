// A CNI plugin of one's own: each container has a link of its own to the host, which routes between them. No bridge.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import {
  CniError,
  CniErrorCode,
  type CniIp,
  type CniPlugin,
  type CniRequest,
  type CniResult,
  CURRENT_VERSION,
  formatIp,
  type PluginConf,
  parseSubnet,
  SUPPORTED_VERSIONS,
} from '@coxswain/cni';
import { AlreadyExistsError, Network, NotFoundError } from '@coxswain/linux';

const hash = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);
const bare = (cidr: string) => cidr.split('/')[0] ?? '';

/** Host ends of a network begin alike, so that GC knows them; the rest is the attachment, so that DEL finds it. 15 characters. */
const prefixOf = (network: string) => `pp${hash(network, 4)}`;
const hostLink = (request: CniRequest) => `${prefixOf(request.config.name)}${hash(`${request.containerId}/${request.ifname}`, 9)}`;

const ipamOf = (config: PluginConf): PluginConf => {
  if (!config.ipam?.type) throw new CniError(CniErrorCode.invalidConfig, 'point-to-point: configuration has no "ipam" section');
  return { ...config, type: config.ipam.type };
};
const failed = (what: string) => new CniError(CniErrorCode.internal, `point-to-point: ${what}`);

/** IPv4 only. `ipam` names the plugin that gives addresses, say `host-local`. */
export function pointToPoint(host = new Network()): CniPlugin {
  const attach = async (request: CniRequest, ip: CniIp): Promise<CniResult> => {
    const { netns, ifname } = request;
    const name = hostLink(request);
    const gateway = ip.gateway ?? '';
    const subnet = parseSubnet(ip.address);
    const { link, peer } = await host.createVeth({ name, up: true, peer: { name: ifname, netns, up: true } });
    const inside = new Network({ netns });
    await inside.addAddress(peer.index, ip.address);
    // Everybody is beyond the host: neighbours of the subnet too.
    const destination = `${formatIp({ family: 4, value: subnet.first })}/${subnet.prefix}`;
    await inside.deleteRoute({ destination, link: peer.index, scope: 'link' });
    await inside.addRoute({ destination: `${gateway}/32`, link: peer.index, source: bare(ip.address) });
    await inside.addRoute({ destination, gateway, link: peer.index });
    await inside.addRoute({ destination: '0.0.0.0/0', gateway, link: peer.index });
    await host.addAddress(link.index, `${gateway}/32`);
    await host.addRoute({ destination: `${bare(ip.address)}/32`, link: link.index });
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
    return {
      cniVersion: CURRENT_VERSION,
      interfaces: [
        { name, mac: link.mac },
        { name: ifname, mac: peer.mac, sandbox: netns },
      ],
      ips: [{ ...ip, interface: 1 }],
      routes: [{ dst: '0.0.0.0/0', gw: gateway }],
    };
  };
  const detach = async (request: CniRequest): Promise<void> => {
    const link = await host.findLink(hostLink(request));
    // Takes the container's end along; that somebody else did it is fine.
    if (link)
      await host.deleteLink(link.index).catch((error) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
  };

  return {
    type: 'point-to-point',
    supportedVersions: SUPPORTED_VERSIONS,
    async add(request) {
      const ipam = ipamOf(request.config);
      const call = { containerId: request.containerId, netns: request.netns, ifname: request.ifname, args: request.args, config: ipam };
      const [ip] = (await request.delegate.invoke({ command: 'ADD', ...call }, request.signal))?.ips ?? [];
      try {
        if (!ip?.gateway) throw failed(`${ipam.type} gave no address with a gateway`);
        return await attach(request, ip);
      } catch (error) {
        // All or nothing: what this call made goes, and the address is given back.
        if (!(error instanceof AlreadyExistsError)) await detach(request).catch(() => {});
        await request.delegate.invoke({ command: 'DEL', ...call }).catch(() => {});
        throw error;
      }
    },
    async check(request) {
      const { config, netns, ifname } = request;
      const inside = new Network({ netns });
      const link = await inside.findLink(ifname);
      if (!link?.up || !(await host.findLink(hostLink(request)))) throw failed(`interface ${ifname} is missing or down`);
      const present = (await inside.addresses(link.index)).map((a) => `${a.address}/${a.prefix}`);
      for (const { address } of config.prevResult?.ips ?? []) if (!present.includes(address)) throw failed(`address ${address} is missing on ${ifname}`);
    },
    async del(request) {
      await detach(request);
      const { containerId, netns, ifname, args, config } = request;
      await request.delegate.invoke({ command: 'DEL', containerId, netns, ifname, args, config: ipamOf(config) }, request.signal);
    },
    async gc({ config, validAttachments, delegate, signal }) {
      const valid = new Set(validAttachments.map((a) => `${prefixOf(config.name)}${hash(`${a.containerID}/${a.ifname}`, 9)}`));
      for (const link of await host.links()) {
        if (link.name.startsWith(prefixOf(config.name)) && !valid.has(link.name)) await host.deleteLink(link.index);
      }
      await delegate.invoke({ command: 'GC', config: { ...ipamOf(config), 'cni.dev/valid-attachments': validAttachments } }, signal);
    },
    async status({ config, delegate, signal }) {
      await delegate.invoke({ command: 'STATUS', config: ipamOf(config) }, signal);
    },
  };
}
