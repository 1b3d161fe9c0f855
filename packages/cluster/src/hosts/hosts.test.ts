import { describe, expect, test } from 'vitest';
import { overlaps, parseCidr4 } from '../cidr.js';
import { nodeCgroup } from '../names.js';
import { MAX_CLUSTERS, resolveClusterSpec } from '../resolve-spec.js';
import { etcdAccess, etcdMember } from '../etcd.js';
import { controlPlaneViews, hostLauncher, hostView, nodeViews } from './host-view.js';
import { freeHostName, nextHost } from './resolve-hosts.js';

const three = [{ name: 'node-1' }, { name: 'node-2', runtime: 'crio' }, { name: 'node-3' }];

describe('control planes', () => {
  const config = resolveClusterSpec({ name: 'c', stateDir: '/s', runDir: '/r', hosts: three.map((host) => ({ ...host, controlPlane: true })) });

  test('several keep their state in an etcd with a member each; an API server asks the one beside it first', () => {
    expect(config.etcd).toEqual({ kind: 'stacked' });
    const [, second] = controlPlaneViews(config);
    expect(second && etcdAccess(second)).toEqual({
      endpoints: ['https://10.176.0.3:2379', 'https://10.176.0.2:2379', 'https://10.176.0.4:2379'],
      caFile: '/s/hosts/node-2/pki/etcd/ca.crt',
      certFile: '/s/hosts/node-2/pki/apiserver-etcd-client.crt',
      keyFile: '/s/hosts/node-2/pki/apiserver-etcd-client.key',
    });
    expect(second && etcdMember(second)).toEqual(
      expect.arrayContaining([
        '--name=node-2',
        '--initial-cluster=node-1=https://10.176.0.2:2380,node-2=https://10.176.0.3:2380,node-3=https://10.176.0.4:2380',
      ]),
    );
  });

  test('one has an embedded store, unless an etcd is named', () => {
    expect(resolveClusterSpec({ name: 'c', hosts: three }).etcd).toBeUndefined();
    const external = resolveClusterSpec({ name: 'c', hosts: three, etcd: { endpoints: ['http://192.0.2.5:2379'] } });
    expect(etcdAccess(external)).toEqual({ endpoints: ['http://192.0.2.5:2379'] });
  });
});

describe('hosts of a cluster', () => {
  test('each has an address, the first runs the control plane unless another is chosen', () => {
    const { hosts, nodeIP, hostNetwork } = resolveClusterSpec({ name: 'c', hosts: three });
    expect(hosts.map(({ name, ip, controlPlane, runtime }) => [name, ip, controlPlane, runtime])).toEqual([
      ['node-1', '10.176.0.2', true, 'containerd'],
      ['node-2', '10.176.0.3', false, 'crio'],
      ['node-3', '10.176.0.4', false, 'containerd'],
    ]);
    expect(nodeIP).toBe(hostNetwork.gateway);
    const chosen = resolveClusterSpec({ name: 'c', hosts: [{ name: 'a' }, { name: 'b', controlPlane: true }] });
    expect(chosen.hosts.map(({ controlPlane }) => controlPlane)).toEqual([false, true]);
  });

  test('an address and a name are used again once they are free', () => {
    const { hosts, hostNetwork } = resolveClusterSpec({ name: 'c', hosts: three });
    const left = hosts.filter(({ name }) => name !== 'node-2');
    expect(freeHostName(left)).toBe('node-2');
    expect(nextHost({ name: 'x' }, left, hostNetwork, 'containerd')).toMatchObject({ ip: '10.176.0.3', ordinal: 2 });
  });

  test('a host sees itself: name, address, runtime, folders and cgroup of its own, inside those of the cluster', () => {
    const config = resolveClusterSpec({ name: 'c', stateDir: '/s', runDir: '/r', hosts: three });
    const [, view] = nodeViews(config);
    expect(view).toMatchObject({ nodeName: 'node-2', nodeIP: '10.176.0.3', runtime: 'crio' });
    expect(view?.paths).toMatchObject({ state: '/s/hosts/node-2', run: '/r/hosts/node-2', pki: '/s/hosts/node-2/pki' });
    expect(view && nodeCgroup(view)).toBe('/coxswain-c/node-2');
    expect(view && hostLauncher(view)).toEqual(['nsenter', '--net=/r/hosts/node-2/ns/net', '--uts=/r/hosts/node-2/ns/uts', '--']);
    expect(new Set(nodeViews(config).map(({ paths }) => paths.criSocket)).size).toBe(3);
  });

  test('without hosts the machine is the node, and nothing goes before its commands', () => {
    const config = resolveClusterSpec({ name: 'c', nodeIP: '192.0.2.1' });
    expect(nodeViews(config)).toEqual([config]);
    expect(hostLauncher(config)).toEqual([]);
    expect(nodeCgroup(config)).toBe('/coxswain-c');
    expect(hostView(config, { name: 'x', ip: '192.0.2.2', ordinal: 1, controlPlane: false, runtime: 'containerd' }).nodeName).toBe('x');
  });

  test('no two clusters of a machine share a hosts’ network or bridge', () => {
    const all = Array.from({ length: MAX_CLUSTERS }, (_, index) => resolveClusterSpec({ name: `c${index}`, index, hosts: three }));
    const networks = all.flatMap((c) => [c.podCIDR, c.serviceCIDR, c.hostNetwork.cidr]).map((cidr) => parseCidr4(cidr)!);
    for (const [i, a] of networks.entries()) for (const b of networks.slice(i + 1)) expect(overlaps(a, b)).toBe(false);
    expect(new Set(all.flatMap((c) => [c.bridge, c.hostNetwork.bridge])).size).toBe(2 * all.length);
  });

  test.each([
    [{ hosts: [{ name: 'a' }, { name: 'a' }] }, 'two hosts are named "a"'],
    [{ hosts: [{ name: 'Node_1' }] }, 'host name "Node_1" must be'],
    [{ hosts: three, network: { hostCIDR: '10.244.7.0/24' } }, 'network.hostCIDR 10.244.7.0/24 and network.podCIDR 10.244.0.0/16 overlap'],
    [{ hosts: three, network: { hostCIDR: 'here' } }, 'network.hostCIDR "here" is not an IPv4 network'],
    [{ hosts: three, network: { hostCIDR: '10.9.0.0/30' } }, 'has addresses for 1 hosts, not for 3'],
    [{ hosts: three, network: { podCIDR: '10.244.0.0/23' } }, 'network.podCIDR 10.244.0.0/23 has room for 2 nodes of a /24 each, not for 3'],
    [{ hosts: three, nodeMonitorGracePeriodSeconds: 0 }, 'nodeMonitorGracePeriodSeconds must be'],
  ])('%j is refused', (spec, why) => {
    expect(() => resolveClusterSpec({ name: 'c', ...spec })).toThrow(why);
  });
});
