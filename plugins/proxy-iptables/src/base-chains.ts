import { familyOf, type ServiceProxyNode } from '@coxswain/sdk';
import type { ChainNames } from './names.js';
import type { TableName } from './render-port.js';

export interface BaseOptions {
  readonly names: ChainNames;
  readonly node: Pick<ServiceProxyNode, 'clusterCIDRs' | 'nodePortAddresses'>;
  /** One bit of the packet mark, between translation and masquerading. */
  readonly masqueradeMark: number;
  readonly localhostNodePorts: boolean;
}

/** A jump from one of the kernel's chains into one of ours. */
export interface Jump {
  readonly from: string;
  readonly to: string;
  /** Without `-A CHAIN`. */
  readonly rule: string;
}

export interface BaseTable {
  /** Our fixed chains with the rules that do not depend on Services. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** In the order in which a packet must meet them. */
  readonly jumps: readonly Jump[];
}

/** The part that does not depend on Services. Pure. */
export function baseChains(family: 4 | 6, options: BaseOptions): Readonly<Record<TableName, BaseTable>> {
  const { names, node, localhostNodePorts } = options;
  const mark = `0x${options.masqueradeMark.toString(16)}`;
  const services = names.fixed('KUBE-SERVICES');
  const externals = names.fixed('KUBE-EXTERNAL-SERVICES');
  const nodePorts = names.fixed('KUBE-NODEPORTS');
  const postrouting = names.fixed('KUBE-POSTROUTING');
  const markMasquerade = names.fixed('KUBE-MARK-MASQ');
  const forward = names.fixed('KUBE-FORWARD');
  const firewall = names.fixed('KUBE-PROXY-FIREWALL');
  const mine = (list: readonly string[]) => list.filter((a) => familyOf(a) === family);
  const comment = (text: string) => `-m comment --comment "${text}"`;
  const loopback = family === 4 ? '127.0.0.0/8' : '::1/128';

  const last = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  const chosen = mine(node.nodePortAddresses);
  const toNodePorts =
    node.nodePortAddresses.length > 0
      ? chosen.map((address) => `-d ${address} ${last} -j ${nodePorts}`)
      : [`${localhostNodePorts && family === 4 ? '' : `! -d ${loopback} `}${last} -m addrtype --dst-type LOCAL -j ${nodePorts}`];
  const jump = (from: string, to: string, text: string, onlyNew: boolean): Jump => ({
    from,
    to,
    rule: `${onlyNew ? '-m conntrack --ctstate NEW ' : ''}${comment(text)} -j ${to}`,
  });
  const portals = 'kubernetes service portals';
  const balancer = 'kubernetes load balancer firewall';
  return {
    nat: {
      chains: new Map([
        [services, toNodePorts],
        [nodePorts, []],
        [
          postrouting,
          [
            `-m mark ! --mark ${mark}/${mark} -j RETURN`,
            // Cleared, so that a packet that comes by again (tunnels do) is not masqueraded twice.
            `-j MARK --set-xmark ${mark}/0x0`,
            `${comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
          ],
        ],
        [markMasquerade, [`-j MARK --set-xmark ${mark}/${mark}`]],
        [names.fixed('KUBE-MASQ-OUTSIDE'), [...mine(node.clusterCIDRs).map((cidr) => `-s ${cidr} -j RETURN`), `-j ${markMasquerade}`]],
      ]),
      jumps: [
        jump('PREROUTING', services, portals, false),
        jump('OUTPUT', services, portals, false),
        jump('POSTROUTING', postrouting, 'kubernetes postrouting rules', false),
      ],
    },
    filter: {
      chains: new Map([
        [services, []],
        [externals, []],
        [
          firewall,
          family === 4 && localhostNodePorts
            ? [
                // route_localnet lets packets for 127.0.0.0/8 in from the wire: only those that we translated may.
                `! -s ${loopback} -d ${loopback} ${comment('block incoming localnet connections')} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
              ]
            : [],
        ],
        [
          forward,
          [
            '-m conntrack --ctstate INVALID -j DROP',
            `${comment('kubernetes forwarding rules')} -m mark --mark ${mark}/${mark} -j ACCEPT`,
            `${comment('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
          ],
        ],
      ]),
      jumps: [
        jump('INPUT', firewall, balancer, true),
        jump('INPUT', externals, 'kubernetes externally-visible service portals', true),
        jump('FORWARD', firewall, balancer, true),
        jump('FORWARD', forward, 'kubernetes forwarding rules', false),
        jump('FORWARD', services, portals, true),
        jump('FORWARD', externals, 'kubernetes externally-visible service portals', true),
        jump('OUTPUT', firewall, balancer, true),
        jump('OUTPUT', services, portals, true),
      ],
    },
  };
}
