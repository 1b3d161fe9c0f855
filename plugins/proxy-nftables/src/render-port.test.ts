import { type ServiceEndpoint, type ServicePortSpec, staleFlows } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { type RenderedPort, renderPort } from './render-port.js';
import { Ruleset } from './ruleset.js';

export const endpoint = (ip: string, more: Partial<ServiceEndpoint> = {}): ServiceEndpoint => ({
  ip,
  port: 8080,
  local: false,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});
export const spec = (more: Partial<ServicePortSpec> = {}): ServicePortSpec => ({
  key: 'default/web:http',
  protocol: 'TCP',
  port: 80,
  clusterIPs: ['10.96.0.10'],
  externalIPs: [],
  loadBalancerIPs: [],
  loadBalancerSourceRanges: [],
  nodePort: 0,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints: [],
  ...more,
});

const text = (r: RenderedPort) =>
  [
    ...[...r.sets].map(([name, d]) => `set ${name} ${d}`),
    ...[...r.chains].flatMap(([name, rules]) => [`chain ${name}`, ...rules.map((rule) => `  ${rule}`)]),
    ...r.elements.map((e) => `${e.set} { ${e.key}${e.value ? ` : ${e.value}` : ''} }`),
  ].join('\n');
const context = { clusterCIDRs: ['10.244.0.0/16'] };

describe('renderPort', () => {
  it('a cluster IP with two endpoints', () => {
    expect(text(renderPort(spec({ endpoints: [endpoint('10.244.0.6', { local: true }), endpoint('10.244.0.5')] }), context))).toMatchInlineSnapshot(`
      "chain svc4-7f26b5a6-default/web/http
        meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.0.6 . 8080 }
      cluster-ips4 { 10.96.0.10 }
      service-ips4 { 10.96.0.10 . tcp . 80 : goto svc4-7f26b5a6-default/web/http }
      hairpin4 { 10.244.0.6 . 10.244.0.6 }"
    `);
  });

  it('a node port, an external IP and a load balancer with source ranges, policy Local', () => {
    const s = spec({
      nodePort: 30080,
      externalIPs: ['192.0.2.7'],
      loadBalancerIPs: ['192.0.2.8'],
      loadBalancerSourceRanges: ['198.51.100.0/24'],
      externalTrafficPolicy: 'Local',
      endpoints: [endpoint('10.244.0.5', { local: true }), endpoint('10.244.1.5')],
    });
    expect(text(renderPort(s, context))).toMatchInlineSnapshot(`
      "chain svc4-7f26b5a6-default/web/http
        meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.1.5 . 8080 }
      chain loc4-7f26b5a6-default/web/http
        meta l4proto tcp dnat ip to 10.244.0.5:8080
      chain ext4-7f26b5a6-default/web/http
        ip saddr @cluster-cidrs4 goto svc4-7f26b5a6-default/web/http
        fib saddr type local jump mark-masquerade
        fib saddr type local goto svc4-7f26b5a6-default/web/http
        goto loc4-7f26b5a6-default/web/http
      chain fw4-7f26b5a6-default/web/http
        ip saddr { 198.51.100.0/24 } return
        drop
      cluster-ips4 { 10.96.0.10 }
      service-ips4 { 10.96.0.10 . tcp . 80 : goto svc4-7f26b5a6-default/web/http }
      service-ips4 { 192.0.2.7 . tcp . 80 : goto ext4-7f26b5a6-default/web/http }
      service-ips4 { 192.0.2.8 . tcp . 80 : goto ext4-7f26b5a6-default/web/http }
      node-ports4 { tcp . 30080 : goto ext4-7f26b5a6-default/web/http }
      firewall4 { 192.0.2.8 . tcp . 80 : goto fw4-7f26b5a6-default/web/http }
      hairpin4 { 10.244.0.5 . 10.244.0.5 }"
    `);
  });

  it('session affinity, both families', () => {
    const s = spec({ clusterIPs: ['10.96.0.10', 'fd00:96::a'], sessionAffinitySeconds: 10800, endpoints: [endpoint('10.244.0.5'), endpoint('fd00:244::5')] });
    expect(text(renderPort(s, context))).toMatchInlineSnapshot(`
      "set aff4-b424d0ed-default/web/http type ipv4_addr; flags dynamic,timeout; timeout 10800s;
      set aff6-b12fcb8d-default/web/http type ipv6_addr; flags dynamic,timeout; timeout 10800s;
      chain ep4-b424d0ed-default/web/http
        update @aff4-b424d0ed-default/web/http { ip saddr }
        meta l4proto tcp dnat ip to 10.244.0.5:8080
      chain svc4-7f26b5a6-default/web/http
        ip saddr @aff4-b424d0ed-default/web/http goto ep4-b424d0ed-default/web/http
        goto ep4-b424d0ed-default/web/http
      chain ep6-b12fcb8d-default/web/http
        update @aff6-b12fcb8d-default/web/http { ip6 saddr }
        meta l4proto tcp dnat ip6 to [fd00:244::5]:8080
      chain svc6-7f26b5a6-default/web/http
        ip6 saddr @aff6-b12fcb8d-default/web/http goto ep6-b12fcb8d-default/web/http
        goto ep6-b12fcb8d-default/web/http
      cluster-ips4 { 10.96.0.10 }
      service-ips4 { 10.96.0.10 . tcp . 80 : goto svc4-7f26b5a6-default/web/http }
      cluster-ips6 { fd00:96::a }
      service-ips6 { fd00:96::a . tcp . 80 : goto svc6-7f26b5a6-default/web/http }"
    `);
  });

  it('without endpoints: refused; with Local and endpoints elsewhere: dropped', () => {
    expect(text(renderPort(spec({ nodePort: 30080 }), context))).toContain('no-endpoint-node-ports4 { tcp . 30080 : goto refuse }');
    expect(text(renderPort(spec(), context))).toContain('no-endpoints4 { 10.96.0.10 . tcp . 80 : goto refuse }');
    expect(text(renderPort(spec({ internalTrafficPolicy: 'Local', endpoints: [endpoint('10.244.1.5')] }), context))).toContain(
      'no-endpoints4 { 10.96.0.10 . tcp . 80 : drop }',
    );
  });

  it('ending endpoints that serve are used only when there is no ready one', () => {
    const ending = endpoint('10.244.0.9', { ready: false, terminating: true });
    expect(text(renderPort(spec({ endpoints: [ending, endpoint('10.244.0.5')] }), context))).not.toContain('10.244.0.9');
    expect(text(renderPort(spec({ endpoints: [ending, endpoint('10.244.0.5', { ready: false, serving: false })] }), context))).toContain(
      'dnat ip to 10.244.0.9:8080',
    );
  });
});

describe('Ruleset', () => {
  const rendered = (more: Partial<ServicePortSpec>) => renderPort(spec(more), context);

  it('writes only what an endpoint changes', () => {
    const set = new Ruleset('t');
    set.change(
      new Map([
        ['a', rendered({ key: 'a', endpoints: [endpoint('10.244.0.5')] })],
        ['b', rendered({ key: 'b', clusterIPs: ['10.96.0.11'], endpoints: [endpoint('10.244.0.6')] })],
      ]),
      [],
    );
    const commands = set.change(new Map([['a', rendered({ key: 'a', endpoints: [endpoint('10.244.0.7')] })]]), []);
    expect(commands).toEqual([
      expect.stringMatching(/^flush chain inet t svc4-\w+-a$/),
      expect.stringMatching(/^add rule inet t svc4-\w+-a meta l4proto tcp dnat ip to 10.244.0.7:8080$/),
    ]);
  });

  it('the same again is nothing', () => {
    const set = new Ruleset('t');
    const port = () => rendered({ key: 'a', nodePort: 30001, sessionAffinitySeconds: 60, endpoints: [endpoint('10.244.0.5')] });
    set.change(new Map([['a', port()]]), []);
    expect(set.change(new Map([['a', port()]]), [])).toEqual([]);
  });

  it('two owners of one address: one has it, and the other inherits', () => {
    const set = new Ruleset('t');
    const port = (key: string) => rendered({ key, clusterIPs: [], externalIPs: ['192.0.2.9'], endpoints: [endpoint('10.244.0.5')] });
    set.change(
      new Map([
        ['b', port('b')],
        ['a', port('a')],
      ]),
      [],
    );
    expect(set.full().filter((line) => line.includes('192.0.2.9'))).toEqual([expect.stringMatching(/goto ext4-\w+-a /)]);
    expect(set.change(new Map(), ['a']).filter((line) => line.includes('192.0.2.9'))).toEqual([
      expect.stringMatching(/^delete .*-a /),
      expect.stringMatching(/^add .*-b /),
    ]);
  });

  it('removing everything leaves nothing', () => {
    const set = new Ruleset('t');
    set.change(new Map([['a', rendered({ key: 'a', nodePort: 30001, sessionAffinitySeconds: 60, endpoints: [endpoint('10.244.0.5', { local: true })] })]]), []);
    set.change(new Map(), ['a']);
    expect(set.full()).toEqual([]);
  });
});

describe('staleFlows', () => {
  const udp = (endpoints: ServiceEndpoint[]) => spec({ protocol: 'UDP', port: 53, endpoints });
  it('names the endpoint that went', () => {
    expect(staleFlows(udp([endpoint('10.244.0.5'), endpoint('10.244.0.6')]), udp([endpoint('10.244.0.6')]))).toEqual([
      { protocol: 'udp', family: 4, originalDestination: '10.96.0.10', originalPort: 53, replySource: '10.244.0.5' },
    ]);
  });
  it('everything, when the first endpoint comes', () => {
    expect(staleFlows(udp([]), udp([endpoint('10.244.0.6')]))).toEqual([{ protocol: 'udp', family: 4, originalDestination: '10.96.0.10', originalPort: 53 }]);
  });
  it('leaves TCP alone', () => {
    expect(staleFlows(spec({ endpoints: [endpoint('10.244.0.5')] }), undefined)).toEqual([]);
  });
});
