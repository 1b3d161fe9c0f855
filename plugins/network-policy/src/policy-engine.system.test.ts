import { execFileSync } from 'node:child_process';
import type { NetworkPolicySpec } from '@coxswain/api';
import { labAddresses, NetLab } from '@coxswain/sdk-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { PolicyEngine } from './policy-engine.js';
import type { PolicyEvent } from './policy-model.js';

// What holds beyond the conformance suite.
const { pods } = labAddresses;
const signal = new AbortController().signal;
let lab: NetLab;
let engine: PolicyEngine;

const pod = (name: 'a' | 'b' | 'c'): PolicyEvent =>
  ({
    type: 'pod',
    key: `default/${name}`,
    object: { metadata: { name, namespace: 'default', labels: { name } }, spec: { nodeName: 'node' }, status: { phase: 'Running', podIP: pods[name].v4 } },
  }) as unknown as PolicyEvent;
const policy = (spec: NetworkPolicySpec): PolicyEvent =>
  ({ type: 'policy', key: 'default/p', object: { metadata: { name: 'p', namespace: 'default' }, spec } }) as unknown as PolicyEvent;
const toAFromB = policy({ podSelector: { matchLabels: { name: 'a' } }, ingress: [{ from: [{ podSelector: { matchLabels: { name: 'b' } } }] }] });

const begin = async (bridge: 'switched' | 'routed', ...events: PolicyEvent[]) => {
  lab = await NetLab.create({ bridge });
  engine = new PolicyEngine({ table: 'cxpolicy', hostNetns: lab.node.path, nodeName: 'node' });
  await engine.start([pod('a'), pod('b'), pod('c'), ...events], signal);
};
const tables = () => execFileSync('nsenter', [`--net=${lab.node.path}`, 'nft', 'list', 'tables'], { encoding: 'utf8' });

afterEach(() => lab[Symbol.asyncDispose]());

describe('PolicyEngine', () => {
  it('a pod that goes round the host, over the bridge alone, gets nowhere', async () => {
    await begin('routed');
    const shortWay = [pods.a.v4, pods.c.v4];
    await lab.pods.c.ip(`route add ${shortWay[0]}/32 dev eth0`);
    await lab.pods.a.ip(`route add ${shortWay[1]}/32 dev eth0`);
    expect(await lab.pods.c.tcp(pods.a.v4, 8080)).toMatch(/^a /);
    await engine.apply([toAFromB], signal);
    await expect(lab.pods.c.tcp(pods.a.v4, 8080, { timeoutMs: 400 })).rejects.toThrow();
    expect(await lab.pods.b.tcp(pods.a.v4, 8080)).toMatch(/^a /);
    expect(tables()).toContain('table bridge cxpolicy');
  });

  it('the guard goes when bridged packets begin to pass the rules, which judge them then', async () => {
    await begin('routed', toAFromB);
    await lab.node.sysctl({ 'net/bridge/bridge-nf-call-iptables': '1', 'net/bridge/bridge-nf-call-ip6tables': '1' });
    await engine.apply([], signal);
    expect(tables()).not.toContain('table bridge cxpolicy');
    await lab.pods.b.ip(`route add ${pods.a.v4}/32 dev eth0`);
    await lab.pods.a.ip(`route add ${pods.b.v4}/32 dev eth0`, `route add ${pods.c.v4}/32 dev eth0`);
    await lab.pods.c.ip(`route add ${pods.a.v4}/32 dev eth0`);
    expect(await lab.pods.b.tcp(pods.a.v4, 8080)).toMatch(/^a /);
    await expect(lab.pods.c.tcp(pods.a.v4, 8080, { timeoutMs: 400 })).rejects.toThrow();
  });

  it('connections that stand go on when a policy comes, new ones are judged', async () => {
    await begin('switched');
    const standing = await lab.pods.c.connect(pods.a.v4, 8080);
    await engine.apply([toAFromB], signal);
    expect(await standing.say()).toBe('hello');
    await expect(lab.pods.c.tcp(pods.a.v4, 8080, { timeoutMs: 400 })).rejects.toThrow();
  });

  it('writes everything again when somebody removed the table', async () => {
    await begin('switched', toAFromB);
    execFileSync('nsenter', [`--net=${lab.node.path}`, 'nft', 'delete', 'table', 'inet', 'cxpolicy']);
    await engine.apply([policy({ podSelector: {} })], signal);
    await expect(lab.pods.c.tcp(pods.b.v4, 8080, { timeoutMs: 400 })).rejects.toThrow();
  });
});
