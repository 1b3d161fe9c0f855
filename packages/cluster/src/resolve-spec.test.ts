import { describe, expect, test } from 'vitest';
import { overlaps, parseCidr4 } from './cidr.js';
import { ClusterSpecError, MAX_CLUSTERS, resolveClusterSpec } from './resolve-spec.js';

describe('resolveClusterSpec', () => {
  test('the first cluster of a machine has the usual numbers', () => {
    const config = resolveClusterSpec({ name: 'default', nodeIP: '192.0.2.1' });
    expect(config).toMatchObject({
      podCIDR: '10.244.0.0/16',
      serviceCIDR: '10.96.0.0/16',
      apiServiceIP: '10.96.0.1',
      dnsIP: '10.96.0.10',
      nodePortRange: { from: 30000, to: 32767 },
    });
    expect(config.ports).toMatchObject({ apiServer: 6443, kubelet: 10250 });
  });

  test('no two clusters of a machine share a port, a network or a bridge', () => {
    const all = Array.from({ length: MAX_CLUSTERS }, (_, index) => resolveClusterSpec({ name: `c${index}`, index, nodeIP: '192.0.2.1' }));
    const ports = all.flatMap((c) => Object.values(c.ports));
    expect(new Set(ports).size).toBe(ports.length);
    expect(new Set(all.map((c) => c.bridge)).size).toBe(all.length);
    const networks = all.flatMap((c) => [c.podCIDR, c.serviceCIDR]).map((c) => parseCidr4(c)!);
    for (const [i, a] of networks.entries()) for (const b of networks.slice(i + 1)) expect(overlaps(a, b)).toBe(false);
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) expect(b.nodePortRange.to < a.nodePortRange.from).toBe(true);
  });

  test('every problem is named with its field', () => {
    const wrong = () =>
      resolveClusterSpec({ name: 'Bad_Name', index: 99, nodeIP: '192.0.2.1', network: { podCIDR: '10.0.0.0/8', serviceCIDR: '10.96.0.0/16' } });
    expect(wrong).toThrow(ClusterSpecError);
    expect(wrong).toThrow(/name "Bad_Name".*index must be 0 to 7.*overlap/);
    expect(() => resolveClusterSpec({ name: 'a', nodeIP: '192.0.2.1', network: { podCIDR: '10.244.0.1/16' } })).toThrow(
      'network.podCIDR "10.244.0.1/16" is not an IPv4 network',
    );
    expect(() => resolveClusterSpec({ name: 'a', nodeIP: '192.0.2.1', otlpEndpoint: 'collector:4318' })).toThrow(
      'otlpEndpoint "collector:4318" is not a URL such as http://collector:4318/v1/logs',
    );
    expect(() => resolveClusterSpec({ name: 'a', nodeIP: '192.0.2.1', without: ['kubelet' as never] })).toThrow(
      'without "kubelet": must be one of scheduler, controller-manager, kube-proxy',
    );
  });
});
