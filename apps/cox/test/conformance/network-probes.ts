import { request } from 'node:http';
import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type CheckContext, same, truly, WEB } from './check.js';

export const service = (c: CheckContext, name: string, spec: Json, metadata: Json = {}): Promise<Json> =>
  c.api.post(`${c.core}/services`, { metadata: { name, ...metadata }, spec });

export async function webPods(c: CheckContext, names: readonly string[], labels: Json = { app: 'web' }): Promise<void> {
  for (const name of names) await c.pod(name, { command: WEB, container: { ports: [{ containerPort: 80, name: 'http' }] } }, { labels });
  for (const name of names) await c.running(name);
}

export async function client(c: CheckContext, spec: Json = {}, metadata: Json = {}): Promise<void> {
  await c.pod('client', spec, metadata);
  await c.running('client');
}

/** What the client pod gets from the URL; no answer within a second or two is an error. */
const fetch = async (c: CheckContext, url: string): Promise<string> => (await c.exec('client', `timeout 3 wget -q -O - http://${url}/`)).trim();

export const reaches = (c: CheckContext, url: string, expected?: readonly string[]) =>
  eventually(`${url} to answer`, async () => {
    const answer = await fetch(c, url);
    truly(answer !== '' && (expected === undefined || expected.includes(answer)), `answer ${answer}`);
    return answer;
  });

export const fails = (c: CheckContext, url: string) =>
  eventually(`${url} to stop answering`, async () => {
    const got = await fetch(c, url).catch(() => undefined);
    truly(got === undefined, `still ${got}`);
  });

/** n requests, one shell. */
export async function many(c: CheckContext, url: string, n = 12): Promise<Set<string>> {
  const out = await c.exec('client', `for i in $(seq ${n}); do timeout 10 wget -q -O - http://${url}/; done`);
  const lines = out.trim().split('\n');
  truly(lines.length === n, `${lines.length} of ${n} answers from ${url}`);
  return new Set(lines);
}

export const nodeAddress = async (c: CheckContext): Promise<string> =>
  (await c.api.get('/api/v1/nodes')).items[0].status.addresses.find((a: Json) => a.type === 'InternalIP').address;

export const endpointsBe = (c: CheckContext, name: string, expected: Json) =>
  eventually(`endpoints of ${name}`, async () => {
    const pods = new Map((await c.pods()).map((p) => [p.status.podIP, p.metadata.name]));
    const flat: Record<string, number[]> = {};
    const endpoints = await c.api.get(`${c.core}/endpoints/${name}`);
    for (const s of endpoints.subsets ?? [])
      for (const a of s.addresses ?? []) {
        const pod = pods.get(a.ip) as string;
        flat[pod] = [...(flat[pod] ?? []), ...s.ports.map((p: Json) => p.port)].sort();
      }
    same(Object.entries(flat).sort(), Object.entries(expected).sort(), 'Endpoints');
    const slices = (await c.api.get(`/apis/discovery.k8s.io/v1/namespaces/${c.ns}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${name}`)).items;
    const inSlices: Record<string, number[]> = {};
    for (const s of slices)
      for (const e of s.endpoints ?? [])
        if (e.conditions.ready !== false) {
          const pod = pods.get(e.addresses[0]) as string;
          inSlices[pod] = [...(inSlices[pod] ?? []), ...s.ports.map((p: Json) => p.port)].sort();
        }
    same(Object.entries(inSlices).sort(), Object.entries(expected).sort(), 'EndpointSlices');
  });

/** UDP and TCP echo of the pod's name: the host's perl in the pod's network. */
export const netserver = (tcp: number, udp: number): Json => ({
  volumes: [{ name: 'host', hostPath: { path: '/' } }],
  container: {
    volumeMounts: [{ name: 'host', mountPath: '/host', readOnly: true }],
    command: [
      'sh',
      '-c',
      `mkdir -p /tmp/w; hostname > /tmp/w/index.html; ${tcp ? `httpd -p ${tcp} -h /tmp/w;` : ''} exec chroot /host perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>${udp},Proto=>"udp") or die; while(defined $s->recv($m,999)){$s->send($ARGV[0])}' $(hostname)`,
    ],
  },
});

export const udpFrom = (pod: string, address: string, port: number) => (c: CheckContext) =>
  c.exec(
    pod,
    `chroot /host perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>"${address}",PeerPort=>${port},Proto=>"udp") or die; $s->send("hostName"); $SIG{ALRM}=sub{exit 1}; alarm 2; $s->recv($m,999) or exit 1; print $m'`,
  );

export const httpFromHere = (host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path: '/', agent: false, timeout: 3000 }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => resolve(text.trim()));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', reject);
    outgoing.end();
  });
