import type { NetworkPolicySpec } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { policyTable } from './base-table.js';
import { type PolicyEvent, PolicyModel } from './policy-model.js';

const pod = (name: string, ip: string, labels: Record<string, string>, more: { nodeName?: string; created?: string; namespace?: string } = {}): PolicyEvent => {
  const { nodeName = 'n1', created = '2026-01-01T00:00:00Z', namespace = 'shop' } = more;
  return {
    type: 'pod',
    key: `${namespace}/${name}`,
    object: {
      metadata: { name, namespace, labels, creationTimestamp: created },
      spec: { nodeName, containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 80 }] }] },
      status: { phase: 'Running', podIP: ip },
    },
  } as PolicyEvent;
};
const policy = (name: string, spec: NetworkPolicySpec): PolicyEvent =>
  ({ type: 'policy', key: `shop/${name}`, object: { metadata: { name, namespace: 'shop' }, spec } }) as PolicyEvent;
const model = (...events: PolicyEvent[]) => {
  const made = new PolicyModel('t', 'n1');
  for (const event of events) made.take(event);
  return made;
};
const after = (made: PolicyModel, ...events: PolicyEvent[]) => {
  for (const event of events) made.take(event);
  return made.table.commit();
};
const fromWeb = policy('db', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] });

describe('PolicyModel', () => {
  it('the whole table', () => {
    const made = model(pod('db-0', '10.1.0.5', { app: 'db' }), pod('web-0', '10.1.1.6', { app: 'web' }, { nodeName: 'n2' }), fromWeb);
    expect(made.table.full(policyTable('t')).split('chain ingress {').at(-1)).toMatchInlineSnapshot(`
      "
          type filter hook forward priority filter - 9; policy accept;
          ct state established,related accept
          icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
          ip saddr . ip daddr @self4 accept
          ip6 saddr . ip6 daddr @self6 accept
          ip daddr vmap @ingress4
          ip6 daddr vmap @ingress6
        }
      }
      add set inet t pods4-1d8fcfad27cd { type ipv4_addr; }
      add set inet t pods6-1d8fcfad27cd { type ipv6_addr; }
      add chain inet t in-ad9c1afeaa0f-shop/db
      add chain inet t judge-in-8af2f6241fb6
      add rule inet t in-ad9c1afeaa0f-shop/db ip saddr @pods4-1d8fcfad27cd accept
      add rule inet t in-ad9c1afeaa0f-shop/db ip6 saddr @pods6-1d8fcfad27cd accept
      add rule inet t judge-in-8af2f6241fb6 jump in-ad9c1afeaa0f-shop/db
      add rule inet t judge-in-8af2f6241fb6 drop
      add element inet t ingress4 { 10.1.0.5 : goto judge-in-8af2f6241fb6 }
      add element inet t self4 { 10.1.0.5 . 10.1.0.5 }
      add element inet t pods4-1d8fcfad27cd { 10.1.1.6 }
      "
    `);
  });

  it('a peer that comes or goes is one element', () => {
    const made = model(pod('db-0', '10.1.0.5', { app: 'db' }), fromWeb);
    made.table.commit();
    expect(after(made, pod('web-0', '10.1.1.6', { app: 'web' }))).toMatchInlineSnapshot(`
      [
        "add element inet t pods4-1d8fcfad27cd { 10.1.1.6 }",
      ]
    `);
    expect(after(made, pod('web-0', '10.1.1.6', { app: 'web', version: '2' }))).toEqual([]);
    expect(after(made, { type: 'pod', key: 'shop/web-0' })).toMatchInlineSnapshot(`
      [
        "delete element inet t pods4-1d8fcfad27cd { 10.1.1.6 }",
      ]
    `);
  });

  it('a pod that is isolated by policies known is elements only', () => {
    const made = model(pod('db-0', '10.1.0.5', { app: 'db' }), fromWeb);
    made.table.commit();
    expect(after(made, pod('db-1', '10.1.0.7', { app: 'db' }))).toMatchInlineSnapshot(`
      [
        "add element inet t ingress4 { 10.1.0.7 : goto judge-in-8af2f6241fb6 }",
        "add element inet t self4 { 10.1.0.7 . 10.1.0.7 }",
      ]
    `);
    expect(after(made, pod('db-2', '10.1.2.7', { app: 'db' }, { nodeName: 'n2' }))).toEqual([]);
  });

  it('equal selectors of many policies share a set', () => {
    const made = model(fromWeb);
    made.table.commit();
    const same = after(made, policy('db2', { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] }));
    expect(same.filter((line) => line.startsWith('add set'))).toEqual([]);
    expect(after(made, { type: 'policy', key: 'shop/db' }).filter((line) => line.includes(' set '))).toEqual([]);
    expect(after(made, { type: 'policy', key: 'shop/db2' }).filter((line) => line.startsWith('delete set'))).toHaveLength(2);
  });

  it('what comes and goes between two writes is nothing', () => {
    const made = model(fromWeb);
    made.table.commit();
    expect(after(made, pod('web-0', '10.1.1.6', { app: 'web' }), { type: 'pod', key: 'shop/web-0' }, { type: 'policy', key: 'shop/db' }, fromWeb)).toEqual(
      // The sets went and came: what they hold is written again.
      expect.arrayContaining([expect.stringMatching(/^flush set/)]),
    );
  });

  it('an address that two pods claim stays with the one that is left', () => {
    const made = model(fromWeb, pod('web-0', '10.1.1.6', { app: 'web' }));
    made.table.commit();
    expect(after(made, pod('web-1', '10.1.1.6', { app: 'web' }))).toEqual([]);
    expect(after(made, { type: 'pod', key: 'shop/web-0' })).toEqual([]);
    expect(after(made, { type: 'pod', key: 'shop/web-1' })).toHaveLength(1);
  });

  it('a namespace is a peer from when it is known, and has the label', () => {
    const made = model(
      policy('x', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'red' } } }] }] }),
      pod('other', '10.1.3.1', {}, { namespace: 'else' }),
    );
    made.table.commit();
    const namespace = (labels: Record<string, string>): PolicyEvent =>
      ({ type: 'namespace', key: 'else', object: { metadata: { name: 'else', labels } } }) as PolicyEvent;
    expect(after(made, namespace({}))).toEqual([]);
    expect(after(made, namespace({ team: 'red' }))).toEqual([expect.stringMatching(/^add element inet t pods4-\w+ { 10.1.3.1 }$/)]);
    expect(after(made, namespace({ team: 'blue' }))).toEqual([expect.stringMatching(/^delete element inet t pods4-\w+ { 10.1.3.1 }$/)]);
  });
});
