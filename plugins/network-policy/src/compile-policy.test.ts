import type { NetworkPolicy, NetworkPolicySpec } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { blockElements } from './address-ranges.js';
import { compilePolicy } from './compile-policy.js';

const policy = (spec: NetworkPolicySpec) => ({ metadata: { name: 'p', namespace: 'shop' }, spec }) as NetworkPolicy;
/** Chains and sets as text. */
const text = (spec: NetworkPolicySpec) => {
  const { ingress, egress } = compilePolicy(policy(spec));
  return [ingress, egress].flatMap((direction) =>
    direction ? [`chain ${direction.chain}`, ...direction.rules.map((r) => `  ${r}`), ...direction.sets.map((s) => `set ${s.id}`)] : [],
  );
};

describe('compilePolicy', () => {
  it('default deny: chains that let nothing through', () => {
    expect(text({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })).toMatchInlineSnapshot(`
      [
        "chain in-fd6056fd6ac9-shop/p",
        "chain out-fd6056fd6ac9-shop/p",
      ]
    `);
  });

  it('everything from everywhere', () => {
    expect(text({ podSelector: {}, ingress: [{}] })).toMatchInlineSnapshot(`
      [
        "chain in-fd6056fd6ac9-shop/p",
        "  accept",
      ]
    `);
  });

  it('peers of every kind, on ports of every kind', () => {
    expect(
      text({
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              { podSelector: { matchLabels: { app: 'web' } } },
              { namespaceSelector: { matchLabels: { team: 'red' } } },
              { namespaceSelector: {}, podSelector: { matchExpressions: [{ key: 'role', operator: 'Exists' }] } },
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
              { ipBlock: { cidr: 'fd00::/8' } },
            ],
            ports: [{ port: 5432 }, { port: 6000, endPort: 6010, protocol: 'UDP' }, { protocol: 'SCTP' }, { port: 'metrics' }],
          },
        ],
      }),
    ).toMatchInlineSnapshot(`
      [
        "chain in-fd6056fd6ac9-shop/p",
        "  ip saddr @pods4-1d8fcfad27cd meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip saddr @pods4-1d8fcfad27cd ip daddr . meta l4proto . th dport @ports4-ba8340635402 accept",
        "  ip saddr @pods4-00ef1869f4bb meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip saddr @pods4-00ef1869f4bb ip daddr . meta l4proto . th dport @ports4-ba8340635402 accept",
        "  ip saddr @pods4-2b0904cbb77a meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip saddr @pods4-2b0904cbb77a ip daddr . meta l4proto . th dport @ports4-ba8340635402 accept",
        "  ip saddr { 10.0.0.0-10.0.255.255, 10.2.0.0-10.255.255.255 } meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip saddr { 10.0.0.0-10.0.255.255, 10.2.0.0-10.255.255.255 } ip daddr . meta l4proto . th dport @ports4-ba8340635402 accept",
        "  ip6 saddr @pods6-1d8fcfad27cd meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip6 saddr @pods6-1d8fcfad27cd ip6 daddr . meta l4proto . th dport @ports6-ba8340635402 accept",
        "  ip6 saddr @pods6-00ef1869f4bb meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip6 saddr @pods6-00ef1869f4bb ip6 daddr . meta l4proto . th dport @ports6-ba8340635402 accept",
        "  ip6 saddr @pods6-2b0904cbb77a meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip6 saddr @pods6-2b0904cbb77a ip6 daddr . meta l4proto . th dport @ports6-ba8340635402 accept",
        "  ip6 saddr { fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff } meta l4proto . th dport { sctp . 0-65535, tcp . 5432, udp . 6000-6010 } accept",
        "  ip6 saddr { fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff } ip6 daddr . meta l4proto . th dport @ports6-ba8340635402 accept",
        "set shop|{app=web}",
        "set shop|{app=db}|TCP/metrics",
        "set {team=red}|{}",
        "set {}|{role}",
      ]
    `);
  });

  it('egress to a named port of pods, of addresses, and of anybody', () => {
    expect(
      text({
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [
          { to: [{ podSelector: {} }, { ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 'http' }] },
          { ports: [{ port: 'dns', protocol: 'UDP' }] },
        ],
      }),
    ).toMatchInlineSnapshot(`
      [
        "chain out-fd6056fd6ac9-shop/p",
        "  ip daddr . meta l4proto . th dport @ports4-d76f2a26bf20 accept",
        "  ip daddr { 192.0.2.0-192.0.2.255 } ip daddr . meta l4proto . th dport @ports4-84f945014ace accept",
        "  ip6 daddr . meta l4proto . th dport @ports6-d76f2a26bf20 accept",
        "  ip daddr . meta l4proto . th dport @ports4-c77f990a9935 accept",
        "  ip6 daddr . meta l4proto . th dport @ports6-c77f990a9935 accept",
        "set shop|{}|TCP/http",
        "set {}|{}|TCP/http",
        "set {}|{}|UDP/dns",
      ]
    `);
  });

  it('reads types that are not given as the API does', () => {
    expect(Object.keys(compilePolicy(policy({ podSelector: {} })))).toEqual(['namespace', 'pods', 'ingress']);
    expect(Object.keys(compilePolicy(policy({ podSelector: {}, egress: [] })))).toEqual(['namespace', 'pods', 'ingress', 'egress']);
  });
});

describe('blockElements', () => {
  it('takes exceptions out of their own block, and joins what touches', () => {
    expect(blockElements([{ cidr: '10.0.0.0/24', except: ['10.0.0.128/25'] }], 4)).toEqual(['10.0.0.0-10.0.0.127']);
    expect(blockElements([{ cidr: '10.0.0.0/25' }, { cidr: '10.0.0.128/25' }], 4)).toEqual(['10.0.0.0-10.0.0.255']);
    expect(blockElements([{ cidr: '10.0.0.0/24', except: ['10.0.0.0/24'] }], 4)).toEqual([]);
    expect(blockElements([{ cidr: '10.0.0.0/30', except: ['10.0.0.1/32'] }], 4)).toEqual(['10.0.0.0', '10.0.0.2-10.0.0.3']);
    expect(blockElements([{ cidr: '10.0.0.0/24', except: ['10.0.0.7/32'] }, { cidr: '10.0.0.7/32' }], 4)).toEqual(['10.0.0.0-10.0.0.255']);
    expect(blockElements([{ cidr: '0.0.0.0/0' }], 4)).toEqual(['0.0.0.0-255.255.255.255']);
    expect(blockElements([{ cidr: '::/0', except: ['8000::/1'] }], 6)).toEqual(['::-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']);
    expect(blockElements([{ cidr: '::/0' }, { cidr: 'nonsense' }], 4)).toEqual([]);
  });
});
