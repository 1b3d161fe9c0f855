import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectInNamespace, createPinnedNamespaces, deletePinnedNamespaces, Network, nftDeleteTable, nftListTable, writeSysctl } from '@coxswain/linux';
import type { ServiceEndpoint, ServicePortSpec } from '@coxswain/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NftablesProxy } from './nftables-proxy.js';

/*
 * A node in a namespace of its own: a bridge with three pods behind it, and a client outside on another network.
 *   pod a, b, c 10.244.0.11…13 - node 10.244.0.1 | 172.31.0.1 - 172.31.0.2 client
 */
const dir = mkdtempSync(join(tmpdir(), 'proxy-'));
const signal = new AbortController().signal;
const ns: Record<'node' | 'a' | 'b' | 'c' | 'client', string> = { node: '', a: '', b: '', c: '', client: '' };
const pods = { a: '10.244.0.11', b: '10.244.0.12', c: '10.244.0.13' } as const;
const children: ChildProcess[] = [];
const table = `cxproxy-${randomBytes(3).toString('hex')}`;
let proxy: NftablesProxy;

const newProxy = () =>
  new NftablesProxy({ table, hostNetns: ns.node, node: { nodeName: 'node', nodeIPs: ['172.31.0.1'], clusterCIDRs: ['10.244.0.0/16'], nodePortAddresses: [] } });
const at = (name: keyof typeof pods, more: Partial<ServiceEndpoint> = {}): ServiceEndpoint => ({
  ip: pods[name],
  port: 8080,
  local: true,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});
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
  endpoints: [],
  ...more,
});
const apply = (...specs: ServicePortSpec[]) => proxy.apply({ upsert: specs, remove: [] }, signal);

/** One request; the answer is `<pod> <address the pod saw>`. */
async function ask(from: keyof typeof ns, host: string, port: number, timeoutMs = 2000): Promise<string> {
  const socket = await connectInNamespace({ netns: ns[from], host, port });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('timeout')));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
const askUdp = (from: keyof typeof ns, host: string, port: number, localPort: number) =>
  execFileSync('nsenter', [
    `--net=${ns[from]}`,
    process.execPath,
    '-e',
    `const s=require('dgram').createSocket('udp4');s.bind(${localPort},()=>s.send('x',${port},'${host}'));s.on('message',(m)=>{console.log(String(m));process.exit()});s.on('error',()=>process.exit(8));setTimeout(()=>{console.log('timeout');process.exit()},1000)`,
  ])
    .toString()
    .trim();

beforeAll(async () => {
  for (const name of Object.keys(ns) as (keyof typeof ns)[]) ns[name] = (await createPinnedNamespaces({ dir: join(dir, name), kinds: ['net'] })).net ?? '';
  const node = new Network({ netns: ns.node });
  await writeSysctl(ns.node, 'net.ipv4.ip_forward', '1');
  await node.createBridge({ name: 'br0', up: true });
  await node.addAddress('br0', '10.244.0.1/24');
  const attach = async (name: keyof typeof ns, address: string, gateway: string, master?: string) => {
    await node.createVeth({ name: `v${name}`, up: true, ...(master ? { master } : {}), peer: { name: 'eth0', netns: ns[name], up: true } });
    const inside = new Network({ netns: ns[name] });
    await inside.addAddress('eth0', address);
    await inside.addRoute({ destination: '0.0.0.0/0', gateway });
  };
  for (const [name, ip] of Object.entries(pods)) {
    await attach(name as keyof typeof pods, `${ip}/24`, '10.244.0.1', 'br0');
    await node.setBridgePort(`v${name}`, { hairpin: true });
  }
  await attach('client', '172.31.0.2/24', '172.31.0.1');
  await node.addAddress('vclient', '172.31.0.1/24');
  // As on a real machine: cluster addresses have somewhere to be routed to before they are translated.
  await node.addRoute({ destination: '0.0.0.0/0', gateway: '172.31.0.2' });
  for (const name of Object.keys(pods) as (keyof typeof pods)[]) {
    const program = `require('net').createServer((s)=>s.end('${name} '+s.remoteAddress)).listen(8080,'0.0.0.0',()=>{const u=require('dgram').createSocket('udp4');u.on('message',(m,r)=>u.send('${name}',r.port,r.address));u.bind(8080,()=>console.log('ready'))})`;
    const child = spawn('nsenter', [`--net=${ns[name]}`, process.execPath, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }
});
afterEach(async () => {
  await proxy.cleanup();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const name of Object.keys(ns)) await deletePinnedNamespaces(join(dir, name));
  rmSync(dir, { recursive: true, force: true });
});
const begin = async (...specs: ServicePortSpec[]) => {
  proxy = newProxy();
  await proxy.start(specs, signal);
};

describe('NftablesProxy', () => {
  it('a cluster IP reaches every endpoint, from pods with their own address and from the node', async () => {
    await begin(service({ endpoints: [at('a'), at('b')] }));
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) seen.add(await ask('c', '10.96.0.10', 80));
    expect([...seen].sort()).toEqual([`a ${pods.c}`, `b ${pods.c}`]);
    expect(await ask('node', '10.96.0.10', 80)).toMatch(/^[ab] /);
  });

  it('a pod reaches itself through its service', async () => {
    await begin(service({ endpoints: [at('a')] }));
    expect(await ask('a', '10.96.0.10', 80)).toBe('a 10.244.0.1');
  });

  it('a node port answers outside, on every address, and on localhost', async () => {
    await begin(service({ nodePort: 30080, endpoints: [at('a')] }));
    expect(await ask('client', '172.31.0.1', 30080)).toBe('a 10.244.0.1');
    expect(await ask('node', '127.0.0.1', 30080)).toBe('a 10.244.0.1');
    expect(await ask('node', '172.31.0.1', 30080)).toBe('a 10.244.0.1');
    expect(await ask('b', '10.244.0.1', 30080)).toBe('a 10.244.0.1');
  });

  it('externalTrafficPolicy Local keeps the client address, and drops where no endpoint is', async () => {
    const local = service({ nodePort: 30080, externalTrafficPolicy: 'Local', endpoints: [at('a'), at('b', { local: false })] });
    await begin(local);
    for (let i = 0; i < 10; i++) expect(await ask('client', '172.31.0.1', 30080)).toBe('a 172.31.0.2');
    await apply({ ...local, endpoints: [at('b', { local: false })] });
    await expect(ask('client', '172.31.0.1', 30080, 300)).rejects.toThrow(/timeout/);
    // The node itself may go anywhere.
    expect(await ask('node', '172.31.0.1', 30080)).toMatch(/^b /);
  });

  it('external and load balancer addresses, with source ranges', async () => {
    const lb = service({ externalIPs: ['172.31.0.50'], loadBalancerIPs: ['172.31.0.60'], loadBalancerSourceRanges: ['172.31.0.2/32'], endpoints: [at('a')] });
    await begin(lb);
    const client = new Network({ netns: ns.client });
    for (const destination of ['172.31.0.50/32', '172.31.0.60/32']) await client.addRoute({ destination, gateway: '172.31.0.1' });
    expect(await ask('client', '172.31.0.50', 80)).toMatch(/^a /);
    expect(await ask('client', '172.31.0.60', 80)).toMatch(/^a /);
    await apply({ ...lb, loadBalancerSourceRanges: ['198.51.100.0/24'] });
    await expect(ask('client', '172.31.0.60', 80, 300)).rejects.toThrow(/timeout/);
    expect(await ask('client', '172.31.0.50', 80)).toMatch(/^a /);
  });

  it('session affinity keeps a client with one endpoint, and lets it go when that ends', async () => {
    const sticky = service({ sessionAffinitySeconds: 60, endpoints: [at('a'), at('b')] });
    await begin(sticky);
    const first = await ask('c', '10.96.0.10', 80);
    for (let i = 0; i < 15; i++) expect(await ask('c', '10.96.0.10', 80)).toBe(first);
    await apply({ ...sticky, endpoints: [first.startsWith('a') ? at('b') : at('a')] });
    expect(await ask('c', '10.96.0.10', 80)).not.toBe(first);
    await apply({ ...sticky, sessionAffinitySeconds: 30 });
    await ask('c', '10.96.0.10', 80);
  });

  it('without endpoints a connection is refused at once, also on ports that no service has', async () => {
    await begin(service({ nodePort: 30080 }));
    await expect(ask('node', '10.96.0.10', 80)).rejects.toThrow(/ECONNREFUSED/);
    await expect(ask('c', '10.96.0.10', 80)).rejects.toThrow(/ECONNREFUSED/);
    await expect(ask('c', '10.96.0.10', 81)).rejects.toThrow(/ECONNREFUSED/);
    await expect(ask('client', '172.31.0.1', 30080)).rejects.toThrow(/ECONNREFUSED/);
    await apply(service({ nodePort: 30080, endpoints: [at('b')] }));
    expect(await ask('c', '10.96.0.10', 80)).toMatch(/^b /);
  });

  it('a UDP client moves on when its endpoint goes', async () => {
    const dns = service({ protocol: 'UDP', port: 53, endpoints: [at('a')] });
    await begin(dns);
    expect(askUdp('c', '10.96.0.10', 53, 5555)).toBe('a');
    await apply({ ...dns, endpoints: [at('b')] });
    // The same source port: the same flow, unless it was forgotten.
    expect(askUdp('c', '10.96.0.10', 53, 5555)).toBe('b');
  });

  it('loses no connection while endpoints change and while it is replaced', async () => {
    await begin(service({ endpoints: [at('a')] }));
    let stop = false;
    const failures: unknown[] = [];
    let answered = 0;
    const load = (async () => {
      while (!stop) {
        await ask('c', '10.96.0.10', 80).then(
          () => answered++,
          (error) => failures.push(error),
        );
      }
    })();
    const rounds: ServiceEndpoint[][] = [
      [at('a'), at('b')],
      [at('b')],
      [at('a', { ready: false, terminating: true })],
      [at('a')],
      [at('a', { ready: false, terminating: true }), at('b')],
    ];
    for (let i = 0; i < 25; i++) await apply(service({ endpoints: rounds[i % rounds.length] ?? [] }));
    for (let i = 0; i < 3; i++) {
      // A new process finds the table of the one before it.
      proxy = newProxy();
      await proxy.start([service({ endpoints: [at('a')] })], signal);
    }
    stop = true;
    await load;
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(50);
  });

  it('writes everything again when somebody removed the table', async () => {
    await begin(service({ endpoints: [at('a')] }));
    await nftDeleteTable('inet', table, { netns: ns.node });
    await apply(service({ key: 'default/other:', clusterIPs: ['10.96.0.11'], endpoints: [at('b')] }));
    expect(await ask('c', '10.96.0.10', 80)).toMatch(/^a /);
    expect(await ask('c', '10.96.0.11', 80)).toMatch(/^b /);
  });

  it('cleanup removes the table, also one of an earlier run', async () => {
    await begin(service({ endpoints: [at('a')] }));
    await newProxy().cleanup();
    expect(await nftListTable('inet', table, { netns: ns.node })).toBeUndefined();
    await proxy.cleanup();
  });

  it('a change among a thousand services is quick', async () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      service({ key: `ns/s${i}:p`, clusterIPs: [`10.97.${i >> 8}.${i & 255}`], nodePort: 0, endpoints: [at('a'), at('b'), at('c')] }),
    );
    let start = performance.now();
    await begin(...many);
    const full = performance.now() - start;
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      start = performance.now();
      await apply({ ...(many[i] as ServicePortSpec), endpoints: [at('a')] });
      times.push(performance.now() - start);
    }
    times.sort((x, y) => x - y);
    console.log(`1000 services: start ${full.toFixed(0)} ms, one change p50 ${times[10]?.toFixed(1)} ms`);
    expect(await ask('c', '10.97.3.231', 80)).toMatch(/^[abc] /);
  });
});
