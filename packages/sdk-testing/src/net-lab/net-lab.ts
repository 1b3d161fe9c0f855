import { randomBytes } from 'node:crypto';
import { LabHost, run } from './lab-host.js';

export type LabPod = 'a' | 'b' | 'c';

/** Addresses of a lab's parts; every lab has the same, each in namespaces of its own. */
export const labAddresses = {
  podCIDRs: ['10.244.0.0/16', 'fd00:10:244::/64'],
  pods: {
    a: { v4: '10.244.0.11', v6: 'fd00:10:244::11' },
    b: { v4: '10.244.0.12', v6: 'fd00:10:244::12' },
    c: { v4: '10.244.0.13', v6: 'fd00:10:244::13' },
  },
  /** The node's end of the pod network. */
  gateway: { v4: '10.244.0.1', v6: 'fd00:10:244::1' },
  /** The node's own address. */
  node: { v4: '172.31.0.1', v6: 'fd00:172:31::1' },
  /** Somebody outside of the cluster, whose default route is the node. */
  client: { v4: '172.31.0.2', v6: 'fd00:172:31::2' },
} as const;

export interface NetLabOptions {
  /**
   * How pods of the node reach each other. `switched` (the default): by the bridge, whose packets pass the host's rules (br_netfilter).
   * `routed`: by the host's routing, on a bridge whose packets pass no rules.
   */
  readonly bridge?: 'switched' | 'routed';
}

/**
 * A node and its surroundings as network namespaces: a bridge `br0` with three pods behind it, and a client on another network.
 *
 *     pods a, b, c - (br0) node (vclient) - client
 *
 * Made with `ip`, not with code that might be under test. Needs root, iproute2 and nsenter. Everyone answers on port 8080.
 */
export class NetLab implements AsyncDisposable {
  private constructor(
    readonly node: LabHost,
    readonly client: LabHost,
    readonly pods: Readonly<Record<LabPod, LabHost>>,
  ) {}

  get hosts(): LabHost[] {
    return [this.node, this.client, ...Object.values(this.pods)];
  }

  static async create(options: NetLabOptions = {}): Promise<NetLab> {
    const id = randomBytes(3).toString('hex');
    const host = (name: string) => new LabHost(name, `cxlab-${id}-${name}`);
    const pods = { a: host('a'), b: host('b'), c: host('c') };
    const lab = new NetLab(host('node'), host('client'), pods);
    try {
      await lab.build(options.bridge === 'routed');
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  private async build(routed: boolean): Promise<void> {
    const { gateway, node, client, pods } = labAddresses;
    await run('ip', ['-batch', '-'], `${this.hosts.map((host) => `netns add ${host.netns}`).join('\n')}\n`);
    const bridged = routed ? '0' : '1';
    await this.node.sysctl({
      'net/ipv4/ip_forward': '1',
      'net/ipv6/conf/all/forwarding': '1',
      'net/ipv4/conf/all/send_redirects': '0',
      'net/ipv4/conf/default/send_redirects': '0',
      'net/bridge/bridge-nf-call-iptables': bridged,
      'net/bridge/bridge-nf-call-ip6tables': bridged,
    });
    const pair = (host: LabHost) => `link add v${host.name} type veth peer name eth0 netns ${host.netns}`;
    await this.node.ip(
      'link set lo up',
      'link add br0 type bridge',
      'link set br0 up',
      `addr add ${gateway.v4}/24 dev br0`,
      `addr add ${gateway.v6}/64 dev br0 nodad`,
      pair(this.client),
      'link set vclient up',
      `addr add ${node.v4}/24 dev vclient`,
      `addr add ${node.v6}/64 dev vclient nodad`,
      ...Object.values(this.pods).flatMap((pod) => [pair(pod), `link set v${pod.name} master br0 up`, `link set v${pod.name} type bridge_slave hairpin on`]),
      // As on a real machine: cluster addresses have somewhere to be routed to before they are translated.
      `route add default via ${client.v4}`,
      `route add default via ${client.v6}`,
    );
    const inside = (host: LabHost, own: { v4: string; v6: string }, via: { v4: string; v6: string }, alone: boolean) =>
      host.ip(
        'link set lo up',
        'link set eth0 up',
        `addr add ${own.v4}/${alone ? 32 : 24} dev eth0`,
        `addr add ${own.v6}/${alone ? 128 : 64} dev eth0 nodad`,
        ...(alone ? [`route add ${via.v4}/32 dev eth0`, `route add ${via.v6}/128 dev eth0`] : []),
        `route add default via ${via.v4}`,
        `route add default via ${via.v6}`,
      );
    await inside(this.client, client, node, false);
    for (const name of Object.keys(this.pods) as LabPod[]) await inside(this.pods[name], pods[name], gateway, routed);
    await Promise.all(this.hosts.map((host) => host.start()));
    await Promise.all(this.hosts.map((host) => host.serve(8080)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host[Symbol.asyncDispose]()));
    for (const host of this.hosts) await run('ip', ['netns', 'delete', host.netns]).catch(() => {});
  }
}
