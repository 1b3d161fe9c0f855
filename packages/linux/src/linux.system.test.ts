import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AlreadyExistsError,
  bindMount,
  Cgroup,
  clampOomScoreAdj,
  connectInNamespace,
  createPinnedNamespaces,
  deletePinnedNamespaces,
  idmapMount,
  inlineThread,
  isAlive,
  isMountPoint,
  isPinnedNamespace,
  listPinnedNamespaces,
  machineFacts,
  mountTmpfs,
  namespaceId,
  Network,
  NftError,
  NotFoundError,
  nftApply,
  nftDeleteTable,
  nftListTable,
  nftTables,
  processIdentity,
  readOomScoreAdj,
  readSysctl,
  RouteLocalnet,
  signalProcess,
  umount,
  umountAll,
  umountTarget,
  writeSysctl,
} from './index.js';

const dir = mkdtempSync(join(tmpdir(), 'linux-test-'));
const id = randomBytes(3).toString('hex');
afterAll(async () => {
  await umountAll(dir);
  rmSync(dir, { recursive: true, force: true });
});
const inside = (paths: { net?: string; ipc?: string; uts?: string }, ...command: string[]) =>
  execFileSync('nsenter', [...Object.entries(paths).map(([kind, path]) => `--${kind}=${path}`), ...command])
    .toString()
    .trim();

describe('namespaces', () => {
  it('are pinned with host name and sysctls, leave our own alone, and go away', async () => {
    const before = ['net', 'ipc', 'uts'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
    const hostname = readFileSync('/proc/sys/kernel/hostname', 'utf8');
    const root = join(dir, 'ns');
    const pins = await createPinnedNamespaces({
      dir: join(root, 'a'),
      kinds: ['net', 'ipc', 'uts'],
      hostname: 'pod-a',
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0', 'kernel.shmmax': '4242' },
    });
    expect(inside(pins, 'cat', '/proc/sys/kernel/hostname', '/proc/sys/kernel/shmmax', '/proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe('pod-a\n4242\n0');
    expect(['net', 'ipc', 'uts'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`))).toEqual(before);
    expect(readFileSync('/proc/sys/kernel/hostname', 'utf8')).toBe(hostname);
    expect(await namespaceId(pins.net ?? '')).not.toBe(await namespaceId('/proc/self/ns/net'));
    expect((await new Network({ netns: pins.net ?? '' }).link('lo')).up).toBe(true);
    expect(await listPinnedNamespaces(root)).toEqual(['a']);
    await deletePinnedNamespaces(join(root, 'a'));
    await deletePinnedNamespaces(join(root, 'a'));
    expect(await listPinnedNamespaces(root)).toEqual([]);
    expect(await isPinnedNamespace(pins.net ?? '')).toBe(false);
  });

  it('a refused step leaves nothing pinned, and the thread goes on', async () => {
    await expect(createPinnedNamespaces({ dir: join(dir, 'bad'), kinds: ['net'], sysctls: { 'net.ipv4.no_such_thing': '1' } })).rejects.toBeInstanceOf(
      NotFoundError,
    );
    await expect(createPinnedNamespaces({ dir: join(dir, 'bad'), kinds: ['net'], sysctls: { 'vm.swappiness': '1' } })).rejects.toThrow(TypeError);
    expect(await isPinnedNamespace(join(dir, 'bad', 'net'))).toBe(false);
    await createPinnedNamespaces({ dir: join(dir, 'bad'), kinds: ['net'] });
    await expect(createPinnedNamespaces({ dir: join(dir, 'bad'), kinds: ['net'] })).rejects.toBeInstanceOf(AlreadyExistsError);
    await deletePinnedNamespaces(join(dir, 'bad'));
  });

  it("those of a process with a user namespace: owned by it, also their settings, and mounts show files as its users'", async () => {
    const holder = spawn('unshare', ['--user', '--net', '--ipc', '--uts', 'sleep', '1000'], { stdio: 'ignore' });
    const pid = holder.pid as number;
    const root = join(dir, 'users');
    try {
      await expect.poll(() => readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user')).toBe(true);
      for (const kind of ['uid', 'gid']) writeFileSync(`/proc/${pid}/${kind}_map`, '0 700000 65536');
      const pins = await createPinnedNamespaces({
        dir: join(root, 'ns'),
        kinds: ['net', 'ipc', 'uts', 'user'],
        hostname: 'pod-u',
        sysctls: { 'kernel.shmmax': '4242', 'net.ipv4.ip_unprivileged_port_start': '0' },
        of: { pid, rootUid: 700_000 },
      });
      for (const kind of ['net', 'ipc', 'uts', 'user'] as const) expect(await namespaceId(pins[kind] ?? '')).toBe(await namespaceId(`/proc/${pid}/ns/${kind}`));
      expect(inside(pins, 'cat', '/proc/sys/kernel/hostname', '/proc/sys/kernel/shmmax')).toBe('pod-u\n4242');
      expect((await new Network({ netns: pins.net ?? '' }).link('lo')).up).toBe(true);
      for (const name of ['files', 'seen']) mkdirSync(join(root, name));
      writeFileSync(join(root, 'files', 'a'), '');
      chownSync(join(root, 'files', 'a'), 5, 6);
      await idmapMount({ source: join(root, 'files'), target: join(root, 'seen'), userns: pins.user ?? '' });
      expect(statSync(join(root, 'seen', 'a'))).toMatchObject({ uid: 700_005, gid: 700_006 });
      expect(statSync(join(root, 'files', 'a'))).toMatchObject({ uid: 5, gid: 6 });
      await umount(join(root, 'seen'));
      await expect(idmapMount({ source: '/proc/sys', target: join(root, 'seen'), userns: pins.user ?? '' })).rejects.toThrow(
        /does not support id-mapped mounts/,
      );
      expect(await isMountPoint(join(root, 'seen'))).toBe(false);
      await expect(createPinnedNamespaces({ dir: join(root, 'none'), kinds: ['user'] })).rejects.toThrow(TypeError);
      await deletePinnedNamespaces(join(root, 'ns'));
      expect(await isPinnedNamespace(pins.user ?? '')).toBe(false);
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('sysctls and connections inside', async () => {
    const { net = '' } = await createPinnedNamespaces({ dir: join(dir, 'c'), kinds: ['net'] });
    await writeSysctl(net, 'net.ipv4.ip_forward', '1');
    expect(await readSysctl(net, 'net.ipv4.ip_forward')).toBe('1');
    // A new namespace starts with what the machine has.
    await writeSysctl(net, 'net.ipv4.conf.all.route_localnet', '0');
    const localnet = new RouteLocalnet(net);
    await localnet.allow();
    await localnet.allow();
    expect(await readSysctl(net, 'net.ipv4.conf.all.route_localnet')).toBe('1');
    await localnet.restore();
    await localnet.restore();
    expect(await readSysctl(net, 'net.ipv4.conf.all.route_localnet')).toBe('0');
    await expect(connectInNamespace({ netns: net, host: '127.0.0.1', port: 9 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // A server of ours is not in there; one in our namespace answers without the option.
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await expect(connectInNamespace({ netns: net, host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    let text = '';
    for await (const chunk of await connectInNamespace({ host: '127.0.0.1', port })) text += String(chunk);
    expect(text).toBe('hello');
    server.close();
    await deletePinnedNamespaces(join(dir, 'c'));
  });
});

describe.each([
  ['worker thread', undefined],
  ['inline', inlineThread()],
])('network, %s', (_name, thread) => {
  it('links, addresses, routes, neighbours, and typed errors', async () => {
    const where = join(dir, `n-${randomBytes(3).toString('hex')}`);
    const a = (await createPinnedNamespaces({ dir: join(where, 'a'), kinds: ['net'] }, ...(thread ? [thread] : []))).net ?? '';
    const b = (await createPinnedNamespaces({ dir: join(where, 'b'), kinds: ['net'] }, ...(thread ? [thread] : []))).net ?? '';
    const options = thread ? { thread } : {};
    const node = new Network({ netns: a, ...options });
    const pod = new Network({ netns: b, ...options });
    await node.createBridge({ name: 'br0', up: true, mac: '02:00:00:00:00:01' });
    await node.addAddress('br0', '10.1.0.1/24');
    await node.createVeth({ name: 'v0', master: 'br0', up: true, mtu: 1400, peer: { name: 'eth0', netns: b, up: true, mtu: 1400, mac: '0a:58:0a:01:00:02' } });
    await node.setBridgePort('v0', { hairpin: true });
    await pod.addAddress('eth0', '10.1.0.2/24');
    await pod.addAddress('eth0', 'fd00::2/64');
    await pod.addRoute({ destination: '0.0.0.0/0', gateway: '10.1.0.1' });
    await pod.setNeighbor('eth0', '10.1.0.1', '02:00:00:00:00:01');
    const port = await node.link('v0');
    expect(port).toMatchObject({ kind: 'veth', up: true, mtu: 1400, masterIndex: (await node.link('br0')).index });
    expect(await pod.link('eth0')).toMatchObject({ mac: '0a:58:0a:01:00:02', peerIndex: port.index, carrier: true });
    expect((await pod.addresses('eth0')).map((x) => x.address)).toEqual(expect.arrayContaining(['10.1.0.2', 'fd00::2']));
    expect((await pod.routes(4)).find((r) => r.destination === '0.0.0.0/0')?.gateway).toBe('10.1.0.1');
    expect(await pod.neighbors()).toContainEqual(expect.objectContaining({ address: '10.1.0.1', permanent: true }));
    expect(inside({ net: a }, 'bridge', '-d', 'link', 'show', 'dev', 'v0')).toContain('hairpin on');
    // An address without the kernel's route to its subnet, and one of ours instead.
    await pod.configureLink((await pod.link('eth0')).index, {
      addresses: [{ cidr: '10.2.0.2/24', subnetRoute: false }],
      routes: [{ destination: '10.2.0.1/32' }, { destination: '10.2.0.0/24', gateway: '10.2.0.1', source: '10.2.0.2' }],
    });
    expect((await pod.routes(4)).filter((r) => r.table === 254 && r.destination.startsWith('10.2.')).map((r) => [r.destination, r.gateway])).toEqual([
      ['10.2.0.0/24', '10.2.0.1'],
      ['10.2.0.1/32', undefined],
    ]);

    await node.createVxlan({ name: 'vx0', id: 42, port: 8472, local: '10.1.0.1', learning: false, up: true });
    await node.setFdb('vx0', '00:00:00:00:00:00', '10.1.0.9');
    await node.setFdb('vx0', '0a:58:00:00:00:09', '10.1.0.9');
    expect(inside({ net: a }, 'ip', '-d', 'link', 'show', 'vx0')).toMatch(/vxlan id 42 .*local 10\.1\.0\.1 .*dstport 8472 nolearning/);
    expect(await node.neighbors('fdb')).toContainEqual(expect.objectContaining({ mac: '0a:58:00:00:00:09', address: '10.1.0.9' }));
    await node.deleteFdb('vx0', '0a:58:00:00:00:09', '10.1.0.9');

    await expect(node.createBridge({ name: 'br0' })).rejects.toBeInstanceOf(AlreadyExistsError);
    await expect(node.link('nope')).rejects.toBeInstanceOf(NotFoundError);
    await expect(pod.addAddress('eth0', '10.1.0.2/24')).rejects.toBeInstanceOf(AlreadyExistsError);
    await expect(pod.deleteAddress('eth0', '10.9.9.9/24')).rejects.toBeInstanceOf(NotFoundError);
    await node.deleteLink('v0');
    expect(await pod.findLink('eth0')).toBeUndefined();
    for (const name of ['a', 'b']) await deletePinnedNamespaces(join(where, name), ...(thread ? [thread] : []));
  });
});

it('many namespaces at once', async () => {
  const names = Array.from({ length: 40 }, (_, i) => join(dir, 'many', String(i)));
  const start = performance.now();
  const all = await Promise.all(names.map((name) => createPinnedNamespaces({ dir: name, kinds: ['net', 'ipc', 'uts'], hostname: 'x' })));
  console.log(`40 sandboxes' namespaces: ${((performance.now() - start) / 40).toFixed(2)} ms each`);
  const ids = new Set(await Promise.all(all.flatMap((pins) => Object.values(pins)).map(namespaceId)));
  expect(ids.size).toBe(120);
  await Promise.all(names.map((name) => deletePinnedNamespaces(name)));
});

it('removes many links together, and says which were not there', async () => {
  const where = join(dir, 'reap');
  const { net = '' } = await createPinnedNamespaces({ dir: where, kinds: ['net'] });
  const host = new Network();
  const names = Array.from({ length: 20 }, (_, i) => `cr${id}${i}`);
  const links = await Promise.all(names.map((name, i) => host.createVeth({ name, peer: { name: `e${i}`, netns: net } })));
  const gone = links[0]?.link.index ?? 0;
  await host.deleteLink(gone);
  const outcomes = await Promise.allSettled(links.map(({ link }) => host.deleteLink(link.index)));
  expect(outcomes.filter((o) => o.status === 'rejected').map((o) => (o.reason as Error).name)).toEqual(['NotFoundError']);
  expect((await host.links()).filter((l) => names.includes(l.name))).toEqual([]);
  expect((await new Network({ netns: net }).links()).map((l) => l.name)).toEqual(['lo']);
  await deletePinnedNamespaces(where);
});

it('nftables: one transaction, all or nothing', async () => {
  const table = `cxlinux-${id}`;
  await nftApply(`table inet ${table} {\n  set s { type ipv4_addr; }\n}\nadd element inet ${table} s { 10.0.0.1 }\n`);
  expect(await nftTables()).toContainEqual({ family: 'inet', name: table });
  const failed = nftApply(`add element inet ${table} s { 10.0.0.2 }\nadd rule inet ${table} nochain accept\n`);
  await expect(failed).rejects.toBeInstanceOf(NftError);
  await expect(failed).rejects.toMatchObject({ notFound: true });
  expect(JSON.stringify(await nftListTable('inet', table))).not.toContain('10.0.0.2');
  await nftDeleteTable('inet', table);
  await nftDeleteTable('inet', table);
  expect(await nftListTable('inet', table)).toBeUndefined();
});

it('mounts: tmpfs, bind, read-only, and all below a folder', async () => {
  const target = join(dir, 'm', 'tmp');
  await mountTmpfs({ target, sizeBytes: 1 << 20, mode: 0o750 });
  writeFileSync(join(target, 'file'), 'x');
  const view = join(dir, 'm', 'view');
  mkdirSync(view);
  await bindMount({ source: target, target: view, readOnly: true });
  expect(readFileSync(join(view, 'file'), 'utf8')).toBe('x');
  expect(() => writeFileSync(join(view, 'file'), 'y')).toThrow(/EROFS/);
  await expect(umount(join(dir, 'm'))).rejects.toMatchObject({ code: 'EINVAL' });
  expect(await umountAll(join(dir, 'm'))).toBe(2);
  expect(await isMountPoint(target)).toBe(false);
});

it('mounts: all of one target, in use or not, and no others', async () => {
  const [target, other] = [join(dir, 't', 'target'), join(dir, 't', 'target-2')];
  for (const each of [target, target, other]) await mountTmpfs({ target: each });
  await mountTmpfs({ target: join(target, 'below') });
  await umountTarget(target);
  expect(await Promise.all([target, join(target, 'below'), other].map(isMountPoint))).toEqual([false, false, true]);
  await umountTarget(other);
  await umountTarget(other);
  await umountTarget(join(dir, 't', 'missing'));
  expect(await isMountPoint(other)).toBe(false);
});

it('a control group limits, counts, kills, and goes away', async () => {
  const group = await Cgroup.at(`/cxlinux-${id}/pod`);
  await group.create();
  await group.setLimits({ cpuShares: 512, cpuQuotaMicros: 50_000, cpuPeriodMicros: 100_000, memoryBytes: 64 << 20, pids: 20 });
  const child = spawn('sh', ['-c', 'sleep 100 & sleep 100 & wait'], { stdio: 'ignore' });
  await group.addProcess(child.pid ?? 0);
  const identity = processIdentity(child.pid ?? 0);
  expect(await group.processes()).toContain(child.pid);
  expect(await group.stats()).toMatchObject({ memory: { limitBytes: 64 << 20 }, pids: { current: expect.any(Number) } });
  expect(await group.killAll((ms) => sleep(ms))).toBe(true);
  await group.delete();
  await (await Cgroup.at(`/cxlinux-${id}`)).delete();
  expect(await group.exists()).toBe(false);
  expect(identity && isAlive(identity)).toBe(false);
  expect(identity && signalProcess(identity, 'SIGTERM')).toBe(false);
});

it('a control group goes away with everybody inside, also with one who is just coming in', async () => {
  const group = await Cgroup.at(`/cxlinux-${id}`);
  await group.create();
  const child = spawn('sh', ['-c', 'while :; do sleep 100 & sleep 0.01; done'], { stdio: 'ignore' });
  await group.addProcess(child.pid ?? 0);
  // A process joins one hierarchy after the other.
  const coming = spawn('sleep', ['100'], { stdio: 'ignore' });
  writeFileSync(join(group.directory('cpu') ?? '', 'cgroup.procs'), String(coming.pid));
  await group.clear((ms) => sleep(ms));
  expect(await group.exists()).toBe(false);
});

it('knows the machine', async () => {
  expect(await machineFacts()).toMatchObject({
    bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    architecture: expect.stringMatching(/^(amd64|arm64)$/),
    cpuCount: expect.any(Number),
  });
  expect(await clampOomScoreAdj(-998)).toBeLessThanOrEqual(await readOomScoreAdj());
  expect(await clampOomScoreAdj(1000)).toBe(1000);
  const self = processIdentity(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(self && isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false);
});
