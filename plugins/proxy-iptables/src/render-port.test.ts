import type { ServiceEndpoint, ServicePortSpec } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { baseChains } from './base-chains.js';
import { ChainNames } from './names.js';
import { renderPort } from './render-port.js';
import { Ruleset } from './ruleset.js';
import { parseSaved } from './saved-rules.js';

const names = new ChainNames();
const context = { names, clusterCIDRs: ['10.0.0.0/8'] };
const at = (ip: string, more: Partial<ServiceEndpoint> = {}): ServiceEndpoint => ({
  ip,
  port: 80,
  local: false,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});
const spec = (more: Partial<ServicePortSpec> = {}): ServicePortSpec => ({
  key: 'ns1/svc1:p80',
  protocol: 'TCP',
  port: 80,
  clusterIPs: ['172.30.0.41'],
  externalIPs: [],
  loadBalancerIPs: [],
  loadBalancerSourceRanges: [],
  nodePort: 0,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints: [],
  ...more,
});
/** Chains and shared rules as iptables-save would print them. */
const text = (more: Partial<ServicePortSpec>, family: 4 | 6 = 4) => {
  const { chains, shared } = renderPort(spec(more), family, context);
  return [
    ...shared.map((s) => `${s.table} -A ${s.chain} ${s.rule}`),
    ...[...chains].flatMap(([chain, rules]) => rules.map((rule) => `nat -A ${chain} ${rule}`)),
  ];
};
const ruleset = (chainNames = names) =>
  new Ruleset(
    chainNames,
    baseChains(4, { names: chainNames, node: { clusterCIDRs: ['10.0.0.0/8'], nodePortAddresses: [] }, masqueradeMark: 0x4000, localhostNodePorts: true }),
  );

describe('chain names', () => {
  it("are upstream's without a suffix", () => {
    // As upstream's kube-proxy names them for this Service.
    expect(names.port('SVC', 'ns1/svc1:p80', 'tcp')).toBe('KUBE-SVC-XPGD46QRK7WJZT7O');
    expect(names.port('SEP', 'ns1/svc1:p80', 'tcp', '10.180.0.1:80')).toBe('KUBE-SEP-SXIVWICOYRO3J4NJ');
  });

  it('fit, and tell proxies apart', () => {
    const long = new ChainNames('ABCDE');
    for (const name of [long.fixed('KUBE-EXTERNAL-SERVICES'), long.port('SVC', 'a/b:', 'tcp')]) expect(name.length).toBeLessThanOrEqual(28);
    expect(long.isPort(long.port('SEP', 'a/b:', 'tcp', 'x'))).toBe(true);
    expect(long.isPort(names.port('SEP', 'a/b:', 'tcp', 'x'))).toBe(false);
    expect(names.isPort(long.port('SEP', 'a/b:', 'tcp', 'x'))).toBe(false);
    expect(() => new ChainNames('too-long')).toThrow(/at most five/);
  });
});

describe('renderPort', () => {
  it('a cluster IP with two endpoints', () => {
    expect(text({ endpoints: [at('10.180.0.1'), at('10.180.0.2')] })).toMatchInlineSnapshot(`
      [
        "nat -A KUBE-SERVICES -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-SVC-XPGD46QRK7WJZT7O",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -s 10.180.0.1/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -p tcp -m comment --comment "ns1/svc1:p80" -m tcp -j DNAT --to-destination 10.180.0.1:80",
        "nat -A KUBE-SEP-LXVODXWDISEETFEF -s 10.180.0.2/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ",
        "nat -A KUBE-SEP-LXVODXWDISEETFEF -p tcp -m comment --comment "ns1/svc1:p80" -m tcp -j DNAT --to-destination 10.180.0.2:80",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-MASQ-OUTSIDE",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-SXIVWICOYRO3J4NJ",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.2:80" -j KUBE-SEP-LXVODXWDISEETFEF",
      ]
    `);
  });

  it('session affinity', () => {
    expect(text({ sessionAffinitySeconds: 10800, endpoints: [at('10.180.0.1')] })).toMatchInlineSnapshot(`
      [
        "nat -A KUBE-SERVICES -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-SVC-XPGD46QRK7WJZT7O",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -s 10.180.0.1/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -p tcp -m comment --comment "ns1/svc1:p80" -m recent --set --name KUBE-SEP-SXIVWICOYRO3J4NJ -m tcp -j DNAT --to-destination 10.180.0.1:80",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-MASQ-OUTSIDE",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-SXIVWICOYRO3J4NJ -j KUBE-SEP-SXIVWICOYRO3J4NJ",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j KUBE-SEP-SXIVWICOYRO3J4NJ",
      ]
    `);
  });

  it('ways in from outside, with source ranges and the policy Local', () => {
    expect(
      text({
        nodePort: 3001,
        externalIPs: ['192.168.99.11'],
        loadBalancerIPs: ['1.2.3.4'],
        loadBalancerSourceRanges: ['203.0.113.0/25'],
        externalTrafficPolicy: 'Local',
        endpoints: [at('10.180.0.1'), at('10.180.2.1', { local: true })],
      }),
    ).toMatchInlineSnapshot(`
      [
        "nat -A KUBE-SERVICES -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-SVC-XPGD46QRK7WJZT7O",
        "nat -A KUBE-SERVICES -d 192.168.99.11/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 external IP" -j KUBE-EXT-XPGD46QRK7WJZT7O",
        "nat -A KUBE-SERVICES -d 1.2.3.4/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 loadbalancer IP" -j KUBE-FW-XPGD46QRK7WJZT7O",
        "filter -A KUBE-PROXY-FIREWALL -d 1.2.3.4/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 traffic not accepted by KUBE-FW-XPGD46QRK7WJZT7O" -j DROP",
        "nat -A KUBE-NODEPORTS -p tcp -m comment --comment "ns1/svc1:p80" -m tcp --dport 3001 -j KUBE-EXT-XPGD46QRK7WJZT7O",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -s 10.180.0.1/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ",
        "nat -A KUBE-SEP-SXIVWICOYRO3J4NJ -p tcp -m comment --comment "ns1/svc1:p80" -m tcp -j DNAT --to-destination 10.180.0.1:80",
        "nat -A KUBE-SEP-ZX7GRIZKSNUQ3LAJ -s 10.180.2.1/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ",
        "nat -A KUBE-SEP-ZX7GRIZKSNUQ3LAJ -p tcp -m comment --comment "ns1/svc1:p80" -m tcp -j DNAT --to-destination 10.180.2.1:80",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 cluster IP" -j KUBE-MASQ-OUTSIDE",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-SXIVWICOYRO3J4NJ",
        "nat -A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.2.1:80" -j KUBE-SEP-ZX7GRIZKSNUQ3LAJ",
        "nat -A KUBE-SVL-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.2.1:80" -j KUBE-SEP-ZX7GRIZKSNUQ3LAJ",
        "nat -A KUBE-EXT-XPGD46QRK7WJZT7O -s 10.0.0.0/8 -m comment --comment "pod traffic for ns1/svc1:p80 external destinations" -j KUBE-SVC-XPGD46QRK7WJZT7O",
        "nat -A KUBE-EXT-XPGD46QRK7WJZT7O -m comment --comment "masquerade LOCAL traffic for ns1/svc1:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
        "nat -A KUBE-EXT-XPGD46QRK7WJZT7O -m comment --comment "route LOCAL traffic for ns1/svc1:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-XPGD46QRK7WJZT7O",
        "nat -A KUBE-EXT-XPGD46QRK7WJZT7O -j KUBE-SVL-XPGD46QRK7WJZT7O",
        "nat -A KUBE-FW-XPGD46QRK7WJZT7O -s 203.0.113.0/25 -m comment --comment "ns1/svc1:p80 loadbalancer IP" -j KUBE-EXT-XPGD46QRK7WJZT7O",
      ]
    `);
  });

  it('without endpoints', () => {
    expect(text({ nodePort: 3001, externalIPs: ['192.168.99.11'] })).toMatchInlineSnapshot(`
      [
        "filter -A KUBE-SERVICES -d 172.30.0.41/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 has no endpoints" -j REJECT",
        "filter -A KUBE-EXTERNAL-SERVICES -d 192.168.99.11/32 -p tcp -m tcp --dport 80 -m comment --comment "ns1/svc1:p80 has no endpoints" -j REJECT",
        "filter -A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "ns1/svc1:p80 has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 3001 -j REJECT",
      ]
    `);
  });

  it('of one family only', () => {
    expect(text({ endpoints: [at('10.180.0.1')] }, 6)).toEqual([]);
    expect(text({ clusterIPs: ['fd00::1'], endpoints: [at('fd00::a')] }, 6).join()).toContain('--to-destination [fd00::a]:80');
  });
});

describe('Ruleset', () => {
  const render = (...specs: ServicePortSpec[]) => new Map(specs.map((s) => [s.key, renderPort(s, 4, context)]));

  it('writes what changed only', () => {
    const rules = ruleset();
    const many = Array.from({ length: 50 }, (_, i) => spec({ key: `ns/s${i}:`, clusterIPs: [`172.30.1.${i}`], endpoints: [at('10.180.0.1')] }));
    rules.change(render(...many), []);
    expect(rules.change(render(...many), [])).toBe('');
    expect(rules.change(render({ ...spec(), ...many[7], endpoints: [at('10.180.0.2')] }), [])).toMatchInlineSnapshot(`
      "*nat
      :KUBE-SEP-XSA6WT3GTP4EIWKS - [0:0]
      :KUBE-SVC-YXLZW4FYAKHH7TSO - [0:0]
      :KUBE-SEP-WTURXTT4EIAKJKGR - [0:0]
      -A KUBE-SEP-XSA6WT3GTP4EIWKS -s 10.180.0.2/32 -m comment --comment "ns/s7" -j KUBE-MARK-MASQ
      -A KUBE-SEP-XSA6WT3GTP4EIWKS -p tcp -m comment --comment "ns/s7" -m tcp -j DNAT --to-destination 10.180.0.2:80
      -A KUBE-SVC-YXLZW4FYAKHH7TSO -d 172.30.1.7/32 -p tcp -m tcp --dport 80 -m comment --comment "ns/s7 cluster IP" -j KUBE-MASQ-OUTSIDE
      -A KUBE-SVC-YXLZW4FYAKHH7TSO -m comment --comment "ns/s7 -> 10.180.0.2:80" -j KUBE-SEP-XSA6WT3GTP4EIWKS
      -X KUBE-SEP-WTURXTT4EIAKJKGR
      COMMIT
      "
    `);
    expect(rules.change(new Map(), ['ns/s7:'])).toMatchInlineSnapshot(`
      "*nat
      :KUBE-SEP-XSA6WT3GTP4EIWKS - [0:0]
      :KUBE-SVC-YXLZW4FYAKHH7TSO - [0:0]
      -D KUBE-SERVICES -d 172.30.1.7/32 -p tcp -m tcp --dport 80 -m comment --comment "ns/s7 cluster IP" -j KUBE-SVC-YXLZW4FYAKHH7TSO
      -X KUBE-SEP-XSA6WT3GTP4EIWKS
      -X KUBE-SVC-YXLZW4FYAKHH7TSO
      COMMIT
      "
    `);
    expect(rules.change(new Map(), ['ns/s7:'])).toBe('');
  });

  it('removes what an earlier run left, and jumps once', () => {
    const rules = ruleset();
    rules.change(render(spec({ endpoints: [at('10.180.0.1')] })), []);
    const first = rules.full(parseSaved(''));
    expect(first.match(/-I PREROUTING 1 /g)).toHaveLength(1);
    const saved = parseSaved(
      '*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n:KUBE-SVC-AAAAAAAAAAAA-C1 - [0:0]\n-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\nCOMMIT\n',
    );
    const again = rules.full(saved);
    expect(again).not.toContain('-I PREROUTING');
    expect(again).toContain('-X KUBE-SVC-AAAAAAAAAAAAAAAA\n');
    expect(again).not.toContain('-C1');
    expect(rules.removal(saved)).toBe(
      '*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n-X KUBE-SERVICES\n-X KUBE-SVC-AAAAAAAAAAAAAAAA\nCOMMIT\n',
    );
  });
});
