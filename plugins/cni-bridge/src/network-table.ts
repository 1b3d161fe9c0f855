import { NftError, nftApply, nftListTable } from '@coxswain/linux';
import type { Host } from './host.js';

export const DEFAULT_TABLE_PREFIX = 'coxswain-';

/**
 * The nftables table of one network: `<prefix><network>`. Its chains are written whole and idempotently, its sets and
 * maps carry the state: subnets to masquerade, host ports, container addresses for hairpin.
 *
 * Everything is in sets, so an attachment costs elements and never rules. Pure.
 */
export function networkTableScript(table: string): string {
  return `table inet ${table} {
  set masquerade4 { type ipv4_addr; flags interval; auto-merge; }
  set masquerade6 { type ipv6_addr; flags interval; auto-merge; }
  set keep4 { type ipv4_addr; flags interval; auto-merge; elements = { 224.0.0.0/4, 255.255.255.255 } }
  set keep6 { type ipv6_addr; flags interval; auto-merge; elements = { ff00::/8 } }
  map hostports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map hostports6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map hostports4-by-ip { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map hostports6-by-ip { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
  set hairpin4 { type ipv4_addr . ipv4_addr; }
  set hairpin6 { type ipv6_addr . ipv6_addr; }
  set loopback-bridges { type ifname; }
  chain guard { type filter hook prerouting priority raw; policy accept; }
  chain hostports { }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
  chain output { type nat hook output priority -100; policy accept; }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
}
flush chain inet ${table} guard
flush chain inet ${table} hostports
flush chain inet ${table} prerouting
flush chain inet ${table} output
flush chain inet ${table} postrouting
table inet ${table} {
  chain guard {
    iifname @loopback-bridges ip daddr 127.0.0.0/8 drop
  }
  chain hostports {
    meta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @hostports4-by-ip
    meta nfproto ipv6 dnat ip6 to ip6 daddr . meta l4proto . th dport map @hostports6-by-ip
    meta nfproto ipv4 dnat ip to meta l4proto . th dport map @hostports4
    meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @hostports6
  }
  chain prerouting {
    fib daddr type local jump hostports
  }
  chain output {
    fib daddr type local jump hostports
  }
  chain postrouting {
    ip saddr . ip daddr @hairpin4 masquerade
    ip6 saddr . ip6 daddr @hairpin6 masquerade
    ct status dnat ip saddr 127.0.0.0/8 oifname @loopback-bridges masquerade
    ip saddr @masquerade4 ip daddr != @masquerade4 ip daddr != @keep4 masquerade
    ip6 saddr @masquerade6 ip6 daddr != @masquerade6 ip6 daddr != @keep6 masquerade
  }
}
`;
}

/** One network's table on one host, made at first use. */
export class NetworkTable {
  private ready: Promise<void> | undefined;
  /** Elements known to be in place, so that the common case costs no process. */
  private readonly placed = new Set<string>();

  constructor(
    readonly name: string,
    private readonly host: Host,
  ) {}

  /** Forget what is believed to be there: the next use writes it again. */
  forget(): void {
    this.ready = undefined;
    this.placed.clear();
  }

  /** Lines of nft commands, `TABLE` standing for the table; all or nothing. Rejects with `NftError`. */
  async apply(lines: readonly string[]): Promise<void> {
    const body = lines.map((line) => `${line.replace('TABLE', `inet ${this.name}`)}\n`).join('');
    try {
      // The first time in a process, everything is written: an earlier version's rules are replaced.
      if (!this.ready) {
        const script = networkTableScript(this.name) + body;
        this.ready = nftApply(script, this.host.nft);
        return await this.ready;
      }
      await this.ready;
      await nftApply(body, this.host.nft);
    } catch (error) {
      if (error instanceof NftError && error.notFound) {
        // Somebody removed the table meanwhile (a firewall that reloads): write it anew, once.
        this.placed.clear();
        this.ready = nftApply(networkTableScript(this.name) + body, this.host.nft);
        return await this.ready;
      }
      if (this.placed.size === 0) this.ready = undefined;
      throw error;
    }
  }

  /** Adds set elements unless this process has done so already. */
  async ensure(elements: readonly { readonly set: string; readonly element: string }[]): Promise<void> {
    const fresh = elements.filter(({ set, element }) => !this.placed.has(`${set} ${element}`));
    if (fresh.length === 0) return;
    await this.apply(fresh.map(({ set, element }) => `add element TABLE ${set} { ${element} }`));
    for (const { set, element } of fresh) this.placed.add(`${set} ${element}`);
  }

  /** nft's JSON objects; undefined when there is no table. */
  list(): Promise<readonly Record<string, unknown>[] | undefined> {
    return nftListTable('inet', this.name, this.host.nft);
  }
}

/** One `NetworkTable` a network. */
export class NetworkTables {
  private readonly tables = new Map<string, NetworkTable>();
  constructor(
    private readonly host: Host,
    private readonly prefix: string,
  ) {}

  of(network: string, prefix = this.prefix): NetworkTable {
    const name = `${prefix}${network}`;
    let table = this.tables.get(name);
    if (!table) {
      table = new NetworkTable(name, this.host);
      this.tables.set(name, table);
    }
    return table;
  }
}
