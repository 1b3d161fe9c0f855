import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPinnedNamespaces, deletePinnedNamespaces, Network, nftTables, writeSysctl } from '@coxswain/linux';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { networkAddress } from './cidr.js';
import type { NodeFacts } from './facts.js';
import { Kernel } from './kernel.js';
import { type Mode, planPaths, podMtu } from './plan.js';

// Three hosts: a and b on one link, c behind a router. All in namespaces of the test's own.
const dir = mkdtempSync(join(tmpdir(), 'sdn-test-'));
const id = randomBytes(3).toString('hex');
const CLUSTER = '10.77.0.0/16';

interface TestHost {
  readonly netns: string;
  readonly kernel: Kernel;
  readonly podCIDR: string;
  facts: NodeFacts & { readonly podCIDR: string; readonly address: string };
}
const hosts: TestHost[] = [];
const byName = (name: string): TestHost => {
  const host = hosts.find(({ facts }) => facts.name === name);
  if (!host) throw new Error(`no host ${name}`);
  return host;
};
const inside = (netns: string, ...command: string[]) => execFileSync('nsenter', [`--net=${netns}`, ...command], { encoding: 'utf8' });

beforeAll(async () => {
  const router = (await createPinnedNamespaces({ dir: join(dir, 'router'), kinds: ['net'] })).net ?? '';
  await writeSysctl(router, 'net.ipv4.ip_forward', '1');
  const middle = new Network({ netns: router });
  for (const [name, gateway] of [
    ['left', '192.0.2.1/24'],
    ['right', '198.51.100.1/24'],
  ] as const) {
    await middle.createBridge({ name, up: true });
    await middle.addAddress(name, gateway);
  }
  for (const [i, [name, address, side]] of (
    [
      ['a', '192.0.2.11', 'left'],
      ['b', '192.0.2.12', 'left'],
      ['c', '198.51.100.13', 'right'],
    ] as const
  ).entries()) {
    const netns = (await createPinnedNamespaces({ dir: join(dir, name), kinds: ['net'] })).net ?? '';
    await middle.createVeth({ name: `v-${name}`, up: true, master: side, peer: { name: 'eth0', netns, up: true } });
    const network = new Network({ netns });
    await network.addAddress('eth0', `${address}/24`);
    await network.addRoute({ destination: '0.0.0.0/0', gateway: side === 'left' ? '192.0.2.1' : '198.51.100.1' });
    const podCIDR = `10.77.${i}.0/24`;
    // Stands for the bridge of pods, with the address of a pod.
    await network.createBridge({ name: 'pods', up: true, mtu: 1450 });
    await network.addAddress('pods', `10.77.${i}.9/24`);
    const kernel = new Kernel({ device: 'tunnel', vni: 7, port: 8472, table: `sdn-${id}`, clusterCIDRs: [CLUSTER], hostNetns: netns });
    hosts.push({ netns, kernel, podCIDR, facts: { name, address, podCIDR } });
  }
});
afterAll(async () => {
  for (const name of ['a', 'b', 'c', 'router']) await deletePinnedNamespaces(join(dir, name));
  rmSync(dir, { recursive: true, force: true });
});

/** What the add-on does at every look, for these hosts. */
async function converge(mode: Mode, members: readonly TestHost[] = hosts): Promise<void> {
  for (const round of [1, 2]) {
    for (const host of members) {
      const underlay = await host.kernel.underlay(host.facts.address);
      if (!underlay) throw new Error('no underlay');
      await host.kernel.allowForwarding();
      await host.kernel.ensureRules(host.podCIDR, host.facts.address, round === 1);
      const tunnel = await host.kernel.ensureTunnel(host.facts.name, underlay, podMtu('vxlan', underlay), networkAddress(host.podCIDR));
      host.facts = { ...host.facts, mac: tunnel.mac };
      const { paths } = planPaths(
        host.facts,
        members.map(({ facts }) => facts),
        mode,
        underlay,
      );
      await host.kernel.setPaths(paths, underlay, tunnel);
    }
  }
}

/** One packet of the pods' full MTU; the kernel marks it as not to be cut, and the first one must get through. */
function ping(from: string, to: string, mtu = 1450): boolean {
  const [source, target] = [byName(from), byName(to)].map(({ podCIDR }) => podCIDR.replace('.0/24', '.9'));
  try {
    inside(byName(from).netns, 'busybox', 'ping', '-c1', '-W2', '-s', String(mtu - 28), '-I', String(source), String(target));
    return true;
  } catch {
    return false;
  }
}
const routes = (name: string) => inside(byName(name).netns, 'ip', 'route', 'show', 'proto', '136');

test.each(['vxlan', 'auto'] as const)('%s: all reach all with packets of full size', async (mode) => {
  await converge(mode);
  for (const from of ['a', 'b', 'c']) for (const to of ['a', 'b', 'c']) if (from !== to) expect(ping(from, to), `${from} to ${to}`).toBe(true);
  expect(routes('a')).toContain(mode === 'auto' ? '10.77.1.0/24 via 192.0.2.12 dev eth0' : '10.77.1.0/24 via 10.77.1.0 dev tunnel onlink');
  expect(routes('a')).toContain('10.77.2.0/24 via 10.77.2.0 dev tunnel onlink');
});

test('what is in the tunnel is tracked, the tunnel itself is not', async () => {
  await converge('vxlan');
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const)
    expect(ping(from, to)).toBe(true);
  for (const name of ['a', 'b']) {
    const tracked = inside(byName(name).netns, 'cat', '/proc/net/nf_conntrack');
    expect(tracked).toMatch(/icmp .*src=10\.77\.0\.9 dst=10\.77\.1\.9/);
    expect(tracked).not.toContain('dport=8472');
  }
});

test('what is taken away by hand, or by a link that was down, is made again', async () => {
  await converge('auto');
  const { netns } = byName('a');
  inside(netns, 'ip', 'link', 'del', 'tunnel');
  inside(netns, 'ip', 'route', 'del', '10.77.1.0/24');
  inside(byName('c').netns, 'ip', 'link', 'set', 'eth0', 'down');
  inside(byName('c').netns, 'ip', 'link', 'set', 'eth0', 'up');
  inside(byName('c').netns, 'ip', 'route', 'add', 'default', 'via', '198.51.100.1');
  inside(byName('b').netns, 'bridge', 'fdb', 'del', byName('c').facts.mac ?? '', 'dev', 'tunnel', 'dst', byName('c').facts.address);
  await converge('auto');
  for (const [from, to] of [
    ['a', 'b'],
    ['a', 'c'],
    ['c', 'a'],
    ['b', 'c'],
  ] as const)
    expect(ping(from, to), `${from} to ${to}`).toBe(true);
});

test('a second look changes nothing', async () => {
  await converge('auto');
  const before = ['a', 'b', 'c'].map((name) => [routes(name), inside(byName(name).netns, 'bridge', 'fdb'), inside(byName(name).netns, 'ip', 'link')]);
  await converge('auto');
  expect(['a', 'b', 'c'].map((name) => [routes(name), inside(byName(name).netns, 'bridge', 'fdb'), inside(byName(name).netns, 'ip', 'link')])).toEqual(before);
});

test('a node that leaves is forgotten: route, neighbour and forwarding entry', async () => {
  await converge('vxlan');
  const { mac = '' } = byName('c').facts;
  await converge('vxlan', [byName('a'), byName('b')]);
  expect(routes('a')).not.toContain('10.77.2.0/24');
  expect(inside(byName('a').netns, 'bridge', 'fdb')).not.toContain(mac);
  expect(inside(byName('a').netns, 'ip', 'neigh')).not.toContain(mac);
  expect(ping('a', 'b')).toBe(true);
});

test('traffic out of the pod network leaves under the address of the node', async () => {
  await converge('auto');
  const [a] = hosts;
  // The router knows no way back to pods: an answer proves the translation.
  expect(() => inside(a?.netns ?? '', 'busybox', 'ping', '-c1', '-W2', '-I', '10.77.0.9', '192.0.2.1')).not.toThrow();
});

test('cleanup leaves nothing of ours, and nothing but ours', async () => {
  await converge('auto');
  for (const { kernel } of hosts) await kernel.cleanup();
  for (const { facts, netns } of hosts) {
    expect(routes(facts.name)).toBe('');
    expect(inside(netns, 'ip', 'link')).not.toContain('tunnel');
    expect(await nftTables({ netns })).toEqual([]);
    expect(inside(netns, 'ip', 'route')).toContain('default via');
    await byName(facts.name).kernel.cleanup();
  }
});
