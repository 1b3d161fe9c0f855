import type { EndpointSlice, Service } from '@coxswain/api';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { FakeRandom } from '@coxswain/sdk-testing';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DnsListener } from './dns-listener.js';
import { DnsModel } from './dns-model.js';
import { Forwarder } from './forwarder.js';
import { nameservers, parseUpstream } from './resolv-conf.js';
import { Responder } from './responder.js';

/** Another DNS server, on loopback. */
class FakeUpstream {
  readonly socket: Socket = createSocket('udp4');
  readonly asked: string[] = [];
  answer: (name: string, type: string) => Partial<Packet> | undefined = () => ({});

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve));
    this.socket.on('message', (message, from) => {
      const query = decode(message);
      const [question] = query.questions ?? [];
      if (!question) return;
      this.asked.push(`${question.type} ${question.name}`);
      const answer = this.answer(question.name, question.type);
      if (!answer) return;
      const reply = encode({ type: 'response', id: query.id ?? 0, questions: [question], ...answer });
      this.socket.send(reply, from.port, from.address);
    });
    return this.socket.address().port;
  }
}

let upstream: FakeUpstream;
let listener: DnsListener;
let model: DnsModel;
let port: number;

beforeEach(async () => {
  upstream = new FakeUpstream();
  const random = new FakeRandom(7);
  model = new DnsModel({ zone: 'cluster.local', ttl: 5, serverAddresses: ['10.96.0.10'] });
  model.setNamespace('default', true);
  const upstreams = [{ address: '127.0.0.1', port: await upstream.listen() }];
  const forwarder = new Forwarder({ upstreams, clock: systemClock, random, logger: silentLogger, timeoutMs: 100 });
  const responder = new Responder({ model, forwarder, random });
  listener = new DnsListener({
    address: '127.0.0.1',
    port: 0,
    clock: systemClock,
    respond: async (message, protocol) => (await responder.respond(message, protocol))?.message,
  });
  await listener.listen();
  port = listener.port;
});
afterEach(async () => {
  await listener.close();
  upstream.socket.close();
});

function setService(name: string, spec: object): void {
  model.setService(`default/${name}`, { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec } as Service);
}

function setEndpoints(name: string, count: number): void {
  const endpoints = Array.from({ length: count }, (_, i) => ({ addresses: [`10.244.${i >> 8}.${i & 255}`] }));
  const metadata = { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } };
  model.setSlice(`default/${name}`, { metadata, addressType: 'IPv4', endpoints, ports: [] } as unknown as EndpointSlice);
}

const query = (name: string, type: string, more: Partial<Packet> = {}) =>
  encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ name, type: type as 'A' }], ...more });
const edns = (udpPayloadSize: number, ednsVersion = 0) =>
  ({
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion, flags: 0, flag_do: false, options: [] }],
  }) as Partial<Packet>;

function sendUdp(message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  return new Promise<Buffer>((resolve) => {
    socket.once('message', resolve);
    socket.send(message, port, '127.0.0.1');
  }).finally(() => socket.close());
}

const udp = async (message: Buffer) => decode(await sendUdp(message));
const rcode = (packet: DecodedPacket) => (packet as unknown as { rcode: string }).rcode;
const data = (answers: Answer[] | undefined) => (answers ?? []).map((a) => (a as { data: unknown }).data);

/** Several messages on one connection, the second cut in two. */
function tcp(...messages: Buffer[]): Promise<DecodedPacket[]> {
  const frames = Buffer.concat(messages.map((m) => Buffer.concat([Buffer.from([m.length >> 8, m.length & 255]), m])));
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(frames.subarray(0, 20), () => socket.write(frames.subarray(20)));
    });
    let received = Buffer.alloc(0);
    const out: DecodedPacket[] = [];
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        out.push(decode(received.subarray(2, received.readUInt16BE(0) + 2)));
        received = received.subarray(received.readUInt16BE(0) + 2);
      }
      if (out.length === messages.length) {
        socket.destroy();
        resolve(out);
      }
    });
  });
}

test('a name of the cluster: authoritative, in the spelling asked for', async () => {
  setService('web', { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }] });
  const answer = await udp(query('WeB.default.svc.cluster.local', 'A'));
  expect(answer).toMatchObject({ id: 4711, flag_qr: true, flag_aa: true, flag_ra: true, flag_rd: true, flag_tc: false });
  expect(answer.answers).toMatchObject([{ name: 'WeB.default.svc.cluster.local', type: 'A', ttl: 5, data: '10.96.0.5' }]);
  const srv = await udp(query('_http._tcp.web.default.svc.cluster.local', 'SRV'));
  expect(data(srv.answers)).toMatchObject([{ port: 80, target: 'web.default.svc.cluster.local' }]);
  expect(data(srv.additionals)).toEqual(['10.96.0.5']);
});

test('no such name, and no record of that type, carry the SOA that says how long to remember it', async () => {
  setService('web', { clusterIP: '10.96.0.5' });
  for (const [name, type, expected] of [
    ['nope.default.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['web.default.svc.cluster.local', 'AAAA', 'NOERROR'],
    ['web.default.svc.cluster.local', 'HTTPS', 'NOERROR'],
  ] as const) {
    const message = type === 'HTTPS' ? query(name, 'A') : query(name, type);
    if (type === 'HTTPS') message.writeUInt16BE(65, message.length - 4);
    const answer = await udp(message);
    expect([rcode(answer), answer.answers]).toEqual([expected, []]);
    expect(answer.authorities).toMatchObject([{ type: 'SOA', name: 'cluster.local', data: { minimum: 5 } }]);
  }
});

test('node’s own resolver understands all of it', async () => {
  setService('web', { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }] });
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  expect(await resolver.resolve4('web.default.svc.cluster.local')).toEqual(['10.96.0.5']);
  expect(await resolver.resolveTxt('dns-version.cluster.local')).toEqual([['1.1.0']]);
  expect(await resolver.resolveSrv('_http._tcp.web.default.svc.cluster.local')).toMatchObject([{ port: 80 }]);
  expect(await resolver.reverse('10.96.0.5')).toEqual(['web.default.svc.cluster.local']);
  await expect(resolver.resolve4('nope.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  await expect(resolver.resolve6('web.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' });
});

test('what does not fit is cut, marked, and whole over TCP', async () => {
  setService('big', { clusterIP: 'None' });
  setEndpoints('big', 200);
  const name = 'big.default.svc.cluster.local';
  const plain = await sendUdp(query(name, 'A'));
  expect(plain.length).toBeLessThanOrEqual(512);
  expect(decode(plain)).toMatchObject({ flag_tc: true });
  const larger = await sendUdp(query(name, 'A', edns(4096)));
  expect(larger.length).toBeGreaterThan(1000);
  expect(larger.length).toBeLessThanOrEqual(1232);
  expect(decode(larger).additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
  const [whole, second] = await tcp(query(name, 'A'), query('dns-version.cluster.local', 'TXT'));
  expect(whole?.answers).toHaveLength(200);
  expect(whole?.flag_tc).toBe(false);
  expect(second?.answers).toHaveLength(1);
});

test('the first address changes from answer to answer', async () => {
  setService('db', { clusterIP: 'None' });
  setEndpoints('db', 4);
  const firsts = new Set<unknown>();
  for (let i = 0; i < 20; i++) firsts.add(data((await udp(query('db.default.svc.cluster.local', 'A'))).answers)[0]);
  expect(firsts.size).toBe(4);
});

test('messages that are no proper query', async () => {
  expect(rcode(await udp(query('x.cluster.local', 'A', edns(1232, 1))))).toBe('NOERROR');
  const [opt] = (await udp(query('x.cluster.local', 'A', edns(1232, 1)))).additionals ?? [];
  // BADVERS is 16: its upper bits stand in the OPT record.
  expect(opt).toMatchObject({ extendedRcode: 1 });
  const notify = query('x.cluster.local', 'A');
  notify.writeUInt8(0x20, 2);
  expect(rcode(await udp(notify))).toBe('NOTIMP');
  expect(rcode(await udp(query('x.cluster.local', 'A').subarray(0, 20)))).toBe('FORMERR');
  const chaos = query('version.bind', 'TXT');
  chaos.writeUInt16BE(3, chaos.length - 2);
  expect(rcode(await udp(chaos))).toBe('REFUSED');
});

test('other names are asked elsewhere once, and remembered for their TTL', async () => {
  upstream.answer = (name) => ({ answers: [{ name, type: 'A', ttl: 60, data: '192.0.2.1' }] });
  const answers = await Promise.all(['Example.org', 'example.ORG', 'example.org'].map((n) => udp(query(n, 'A'))));
  expect(answers.map((a) => [a.id, a.questions?.[0]?.name, data(a.answers)])).toEqual([
    [4711, 'Example.org', ['192.0.2.1']],
    [4711, 'example.ORG', ['192.0.2.1']],
    [4711, 'example.org', ['192.0.2.1']],
  ]);
  await udp(query('example.org', 'A'));
  expect(upstream.asked).toHaveLength(1);
});

test('negative answers are remembered as their SOA says', async () => {
  const soa = { mname: 'ns.org', rname: 'x.org', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 20 };
  upstream.answer = () => ({ flags: 3, authorities: [{ name: 'org', type: 'SOA', ttl: 300, data: soa }] });
  for (let i = 0; i < 3; i++) expect(rcode(await udp(query('missing.org', 'A')))).toBe('NXDOMAIN');
  expect(upstream.asked).toHaveLength(1);
});

test('nobody answers: SERVFAIL, also for a query that comes back to us', async () => {
  upstream.answer = () => undefined;
  expect(rcode(await udp(query('silent.org', 'A')))).toBe('SERVFAIL');
  // The upstream asks us: a loop.
  upstream.answer = (name) => {
    const socket = createSocket('udp4');
    socket.send(query(name, 'A'), port, '127.0.0.1', () => socket.close());
    return undefined;
  };
  const before = upstream.asked.length;
  expect(rcode(await udp(query('loop.org', 'A')))).toBe('SERVFAIL');
  expect(upstream.asked.length - before).toBeLessThanOrEqual(2);
});

test('an external name comes with the addresses of its target', async () => {
  setService('out', { type: 'ExternalName', externalName: 'Example.org' });
  setService('inner', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' });
  setService('web', { clusterIP: '10.96.0.5' });
  setService('ring', { type: 'ExternalName', externalName: 'ring.default.svc.cluster.local' });
  upstream.answer = (name) => ({ answers: [{ name, type: 'A', ttl: 60, data: '192.0.2.1' }] });
  expect(data((await udp(query('out.default.svc.cluster.local', 'A'))).answers)).toEqual(['Example.org', '192.0.2.1']);
  expect(data((await udp(query('inner.default.svc.cluster.local', 'A'))).answers)).toEqual(['web.default.svc.cluster.local', '10.96.0.5']);
  expect(rcode(await udp(query('ring.default.svc.cluster.local', 'A')))).toBe('SERVFAIL');
});

test('a port in use is named', async () => {
  const second = new DnsListener({ address: '127.0.0.1', port, clock: systemClock, respond: async () => undefined });
  await expect(second.listen()).rejects.toThrow(`cannot listen for DNS on 127.0.0.1 port ${port}: the port is in use`);
});

test('upstreams from resolv.conf and from configuration', () => {
  expect(nameservers('# x\nnameserver 192.0.2.1\n nameserver\tfd00::1 \nnameserver fe80::1%eth0\nsearch a\nnameserver nonsense')).toEqual([
    { address: '192.0.2.1', port: 53 },
    { address: 'fd00::1', port: 53 },
  ]);
  expect(['192.0.2.1:5353', '[fd00::1]:54', 'fd00::1'].map(parseUpstream)).toEqual([
    { address: '192.0.2.1', port: 5353 },
    { address: 'fd00::1', port: 54 },
    { address: 'fd00::1', port: 53 },
  ]);
  expect(() => parseUpstream('dns.example')).toThrow('dns.example is not the address of a DNS server');
});
