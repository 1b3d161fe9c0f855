import type { ServicePortSpec } from '@coxswain/sdk';
import { labAddresses, NetLab } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { IptablesProxy } from './iptables-proxy.js';

const signal = new AbortController().signal;

it.each(['nft', 'legacy'] as const)('a change among two hundred services is written alone (%s)', async (backend) => {
  await using lab = await NetLab.create();
  const proxy = new IptablesProxy({
    backend,
    hostNetns: lab.node.path,
    node: { nodeName: 'node', nodeIPs: [], clusterCIDRs: labAddresses.podCIDRs, nodePortAddresses: [] },
  });
  const many = Array.from(
    { length: 200 },
    (_, i): ServicePortSpec => ({
      key: `ns/s${i}:p`,
      protocol: 'TCP',
      port: 80,
      clusterIPs: [`10.97.${i >> 8}.${i & 255}`],
      externalIPs: [],
      loadBalancerIPs: [],
      loadBalancerSourceRanges: [],
      nodePort: 0,
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      endpoints: (['a', 'b', 'c'] as const).map((pod) => ({
        ip: labAddresses.pods[pod].v4,
        port: 8080,
        local: true,
        ready: true,
        serving: true,
        terminating: false,
      })),
    }),
  );
  let start = performance.now();
  await proxy.start(many, signal);
  const full = performance.now() - start;
  const times: number[] = [];
  for (const spec of many.slice(0, 20)) {
    start = performance.now();
    await proxy.apply({ upsert: [{ ...spec, endpoints: spec.endpoints.slice(0, 1) }], remove: [] }, signal);
    times.push(performance.now() - start);
  }
  times.sort((x, y) => x - y);
  console.log(`iptables-${backend}, 200 services: start ${full.toFixed(0)} ms, one change p50 ${times[10]?.toFixed(1)} ms`);
  for (let i = 0; i < 5; i++) expect(await lab.pods.c.tcp('10.97.0.7', 80)).toMatch(/^a /);
  expect(await lab.pods.c.tcp('10.97.0.199', 80)).toMatch(/^[abc] /);
  await proxy.cleanup();
});
