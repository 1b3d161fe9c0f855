import type { ServicePortSpec } from '@coxswain/sdk';
import { labAddresses, NetLab } from '@coxswain/sdk-testing';
import { nftDeleteTable } from '@coxswain/linux';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NftablesProxy } from './nftables-proxy.js';

// What holds beyond the conformance suite.
const signal = new AbortController().signal;
let lab: NetLab;
let proxy: NftablesProxy;

const service = (more: Partial<ServicePortSpec> = {}): ServicePortSpec => ({
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
  endpoints: [{ ip: labAddresses.pods.a.v4, port: 8080, local: true, ready: true, serving: true, terminating: false }],
  ...more,
});
const begin = async (...specs: ServicePortSpec[]) => {
  proxy = new NftablesProxy({
    table: 'cxproxy',
    hostNetns: lab.node.path,
    node: { nodeName: 'node', nodeIPs: [], clusterCIDRs: labAddresses.podCIDRs, nodePortAddresses: [] },
  });
  await proxy.start(specs, signal);
};

beforeAll(async () => {
  lab = await NetLab.create();
});
afterEach(() => proxy.cleanup());
afterAll(() => lab[Symbol.asyncDispose]());

describe('NftablesProxy', () => {
  it('refuses ports of a cluster IP that no service has', async () => {
    await begin(service());
    await expect(lab.pods.c.tcp('10.96.0.10', 81)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('writes everything again when somebody removed the table', async () => {
    await begin(service());
    await nftDeleteTable('inet', 'cxproxy', { netns: lab.node.path });
    await proxy.apply({ upsert: [service({ key: 'default/other:', clusterIPs: ['10.96.0.11'] })], remove: [] }, signal);
    expect(await lab.pods.c.tcp('10.96.0.10', 80)).toMatch(/^a /);
    expect(await lab.pods.c.tcp('10.96.0.11', 80)).toMatch(/^a /);
  });

  it('a change among a thousand services is quick', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => service({ key: `ns/s${i}:p`, clusterIPs: [`10.97.${i >> 8}.${i & 255}`] }));
    let start = performance.now();
    await begin(...many);
    const full = performance.now() - start;
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      start = performance.now();
      await proxy.apply({ upsert: [{ ...(many[i] as ServicePortSpec), nodePort: 30000 + i }], remove: [] }, signal);
      times.push(performance.now() - start);
    }
    times.sort((x, y) => x - y);
    console.log(`1000 services: start ${full.toFixed(0)} ms, one change p50 ${times[10]?.toFixed(1)} ms`);
    expect(await lab.pods.c.tcp('10.97.3.231', 80)).toMatch(/^a /);
  });
});
