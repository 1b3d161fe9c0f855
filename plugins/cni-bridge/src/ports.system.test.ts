import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cni, diskCache, inProcessInvoker, type NetworkList, type PortMapping } from '@coxswain/cni';
import { createPinnedNamespaces, deletePinnedNamespaces, nftDeleteTable, nftListTable, Network } from '@coxswain/linux';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bridgePlugins } from './plugins.js';

const id = randomBytes(3).toString('hex');
const subnet = `10.${150 + ((randomBytes(1)[0] ?? 0) % 50)}.${randomBytes(1)[0]}`;
const bridge = `cxp${id}`;
const prefix = `cxtest${id}-`;
const dir = mkdtempSync(join(tmpdir(), 'cni-ports-'));
const cni = new Cni(inProcessInvoker(bridgePlugins({ tablePrefix: prefix })), diskCache(join(dir, 'results')));
const network: NetworkList = {
  cniVersion: '1.1.0',
  name: 'ports',
  disableCheck: false,
  disableGC: false,
  plugins: [
    {
      type: 'bridge',
      bridge,
      isDefaultGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', subnet: `${subnet}.0/24`, dataDir: join(dir, 'ipam') },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

const children: ChildProcess[] = [];
const undo: (() => Promise<unknown>)[] = [];
const basePort = 20000 + (randomBytes(2).readUInt16BE() % 2000) * 5;

async function container(name: string, portMappings: PortMapping[]) {
  const { net = '' } = await createPinnedNamespaces({ dir: join(dir, 'ns', name), kinds: ['net'] });
  undo.push(() => deletePinnedNamespaces(join(dir, 'ns', name)));
  const attachment = { containerId: name, netns: net, ifname: 'eth0', capabilityArgs: { portMappings } };
  const result = await cni.add(network, attachment);
  undo.push(() => cni.del(network, attachment));
  return { net, attachment, ip: (result.ips?.[0]?.address ?? '').split('/')[0] ?? '' };
}
async function serve(netns: string, program: string): Promise<void> {
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
}
const tcpServer = `require('net').createServer((s) => s.end(s.remoteAddress)).listen(8080,'0.0.0.0', () => console.log('ready'))`;
const udpServer = `const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send('pong '+m,r.port,r.address));s.bind(5353,()=>console.log('ready'))`;
const fetch = (host: string, port: number) =>
  new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port, timeout: 3000 });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('data', (d) => {
      text += String(d);
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
const fetchFrom = (netns: string, host: string, port: number) =>
  execFileSync('nsenter', [
    `--net=${netns}`,
    process.execPath,
    '-e',
    `const s=require('net').connect({host:'${host}',port:${port},timeout:3000});s.on('timeout',()=>process.exit(9));s.pipe(process.stdout)`,
  ]).toString();
const udp = (netns: string | undefined, host: string, port: number) => {
  const program = `const s=require('dgram').createSocket('udp4');s.on('message',(m)=>{console.log(String(m));process.exit()});s.send('hi',${port},'${host}');setTimeout(()=>process.exit(9),3000)`;
  return (netns ? execFileSync('nsenter', [`--net=${netns}`, process.execPath, '-e', program]) : execFileSync(process.execPath, ['-e', program]))
    .toString()
    .trim();
};
const hostAddress = () =>
  Object.values(networkInterfaces())
    .flat()
    .find((a) => a?.family === 'IPv4' && !a.internal)?.address ?? `${subnet}.1`;

beforeAll(() => {
  children.length = 0;
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(async () => {
  await nftDeleteTable('inet', `${prefix}ports`);
  await new Network().deleteLink(bridge).catch(() => {});
  rmSync(dir, { recursive: true, force: true });
});

describe('portmap', () => {
  it('opens a TCP host port on every address of the host, to the host, to others and to itself', async () => {
    const hostPort = basePort;
    const a = await container('a', [{ hostPort, containerPort: 8080 }]);
    const b = await container('b', []);
    await serve(a.net, tcpServer);
    expect(await fetch('127.0.0.1', hostPort)).toBe(`${subnet}.1`);
    expect(await fetch(`${subnet}.1`, hostPort)).not.toBe('');
    expect(fetchFrom(b.net, `${subnet}.1`, hostPort)).toBe(b.ip);
    expect(fetchFrom(b.net, hostAddress(), hostPort)).toBe(b.ip);
    // Hairpin: its own packets come back to it from another address.
    expect(fetchFrom(a.net, `${subnet}.1`, hostPort)).toBe(`${subnet}.1`);
    await cni.check(network, a.attachment);
    await cni.del(network, a.attachment);
    await expect(fetch('127.0.0.1', hostPort)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('opens UDP ports', async () => {
    const hostPort = basePort + 1;
    const a = await container('u', [{ hostPort, containerPort: 5353, protocol: 'udp' }]);
    await serve(a.net, udpServer);
    expect(udp(undefined, `${subnet}.1`, hostPort)).toBe('pong hi');
    expect(udp(undefined, '127.0.0.1', hostPort)).toBe('pong hi');
  });

  it('binds to one host IP only', async () => {
    const hostPort = basePort + 2;
    const a = await container('i', [{ hostPort, containerPort: 8080, hostIP: '127.0.0.1' }]);
    await serve(a.net, tcpServer);
    expect(await fetch('127.0.0.1', hostPort)).toBe(`${subnet}.1`);
    await expect(fetch(`${subnet}.1`, hostPort)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('refuses a host port that is taken, and undoes the attachment', async () => {
    const hostPort = basePort + 3;
    await container('t1', [{ hostPort, containerPort: 8080 }]);
    await expect(container('t2', [{ hostPort, containerPort: 8080 }])).rejects.toThrow(/taken already/);
    expect((await new Network({ netns: join(dir, 'ns', 't2', 'net') }).findLink('eth0'))?.name).toBeUndefined();
  });

  it('CHECK notices a lost mapping; GC removes stale ones', async () => {
    const a = await container('c', [{ hostPort: basePort + 4, containerPort: 8080 }]);
    execFileSync('nft', ['flush', 'map', 'inet', `${prefix}ports`, 'hostports4']);
    await expect(cni.check(network, a.attachment)).rejects.toThrow(/not mapped/);
    await container('g', [{ hostPort: basePort + 4, containerPort: 8080 }]);
    await cni.gc(network, []);
    expect(JSON.stringify(await nftListTable('inet', `${prefix}ports`))).not.toContain(String(basePort + 4));
  });

  it('hides the container behind the host for other destinations', async () => {
    const a = await container('m', []);
    // A second namespace that plays the outside world, with no route back to the subnet.
    const { net = '' } = await createPinnedNamespaces({ dir: join(dir, 'ns', 'world'), kinds: ['net'] });
    undo.push(() => deletePinnedNamespaces(join(dir, 'ns', 'world')));
    const host = new Network();
    await host.createVeth({ name: `cxw${id}`, up: true, peer: { name: 'eth0', netns: net, up: true } });
    undo.push(() => host.deleteLink(`cxw${id}`));
    await host.addAddress(`cxw${id}`, '198.18.77.1/24');
    await new Network({ netns: net }).addAddress('eth0', '198.18.77.2/24');
    await serve(net, tcpServer);
    expect(fetchFrom(a.net, '198.18.77.2', 8080)).toBe('198.18.77.1');
  });
});

it('attaches in a few milliseconds', async () => {
  const times: number[] = [];
  for (let i = 0; i < 30; i++) {
    const { net = '' } = await createPinnedNamespaces({ dir: join(dir, 'ns', `p${i}`), kinds: ['net'] });
    undo.push(() => deletePinnedNamespaces(join(dir, 'ns', `p${i}`)));
    const attachment = { containerId: `p${i}`, netns: net, ifname: 'eth0' };
    undo.push(() => cni.del(network, attachment));
    const start = performance.now();
    await cni.add(network, attachment);
    times.push(performance.now() - start);
  }
  times.sort((x, y) => x - y);
  console.log(`CNI ADD p50 ${times[15]?.toFixed(1)} ms, p90 ${times[27]?.toFixed(1)} ms`);
  expect(times[15]).toBeLessThan(100);
});
