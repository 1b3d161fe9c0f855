import { createCa, issueCertificate } from '@coxswain/pki';
import { expect, it } from 'vitest';
import { node, pod } from '../test-cluster.js';
import type { ExtenderConfig } from './extender-config.js';
import { startExtender } from './extender-server.fixture.js';
import { HttpExtender } from './http-extender.js';

const HOUR = 3_600_000;
const { signal } = new AbortController();
const base: Omit<ExtenderConfig, 'urlPrefix'> = {
  weight: 1,
  enableHTTPS: false,
  tls: { insecure: false },
  timeoutMs: 5000,
  nodeCacheCapable: false,
  managedResources: [],
  ignorable: false,
};
const nodes = [node('a'), node('b')];

it('speaks upstream’s types: whole nodes, or names to one that knows them', async () => {
  await using server = await startExtender({
    filter: ({ Nodes }: { Nodes: { items: unknown[] } }) => ({ nodes: { items: Nodes.items.slice(1) }, failedNodes: { a: 'too small' } }),
    names: ({ NodeNames }: { NodeNames: string[] }) => ({ NodeNames: NodeNames.slice(1), FailedAndUnresolvableNodes: { a: 'never' } }),
  });
  const whole = new HttpExtender({ ...base, urlPrefix: server.url, filterVerb: 'filter' });
  expect(await whole.filter(pod('p'), nodes, signal)).toEqual({ nodes: ['b'], failed: { a: 'too small' }, failedForGood: {} });
  const names = new HttpExtender({ ...base, urlPrefix: server.url, filterVerb: 'names', nodeCacheCapable: true });
  expect(await names.filter(pod('p'), nodes, signal)).toEqual({ nodes: ['b'], failed: {}, failedForGood: { a: 'never' } });
  expect(server.asked[0]?.body).toMatchObject({ Pod: { metadata: { name: 'p' } }, Nodes: { items: nodes }, NodeNames: null });
  expect(server.asked[1]?.body).toMatchObject({ Nodes: null, NodeNames: ['a', 'b'] });
});

it('brings scores to the scale of plugins, times its weight', async () => {
  await using server = await startExtender({ prioritize: () => [{ Host: 'a', Score: 7 }] });
  const extender = new HttpExtender({ ...base, urlPrefix: server.url, prioritizeVerb: 'prioritize', weight: 2 });
  expect([...(await extender.prioritize(pod('p'), nodes, signal))]).toEqual([['a', 140]]);
});

it('chooses victims by their UIDs, and no others than there are', async () => {
  let uid = 'uid-victim';
  await using server = await startExtender({ preempt: () => ({ NodeNameToMetaVictims: { a: { Pods: [{ UID: uid }], NumPDBViolations: 1 } } }) });
  const extender = new HttpExtender({ ...base, urlPrefix: server.url, preemptVerb: 'preempt', nodeCacheCapable: true });
  const victim = pod('victim');
  const candidates = [{ node: 'a', victims: [victim], budgetViolations: 1 }];
  const preempt = () => extender.preempt(pod('p'), candidates, (name) => (name === 'a' ? [victim] : undefined), signal);
  expect(await preempt()).toEqual(candidates);
  expect(server.asked[0]?.body).toMatchObject({
    NodeNameToVictims: null,
    NodeNameToMetaVictims: { a: { Pods: [{ UID: 'uid-victim' }], NumPDBViolations: 1 } },
  });
  uid = 'nobody';
  await expect(preempt()).rejects.toThrow('claims to preempt pod (UID: nobody) on node: a, but the pod is not found on that node');
});

it('binds, or says why not', async () => {
  let error = '';
  await using server = await startExtender({ bind: () => ({ Error: error }) });
  const extender = new HttpExtender({ ...base, urlPrefix: server.url, bindVerb: 'bind' });
  await extender.bind(pod('p'), 'a', signal);
  expect(server.asked[0]?.body).toEqual({ PodName: 'p', PodNamespace: 'default', PodUID: 'uid-p', Node: 'a' });
  error = 'no such device';
  await expect(extender.bind(pod('p'), 'a', signal)).rejects.toThrow('no such device');
});

it('is asked about pods that want what it manages', () => {
  const extender = new HttpExtender({ ...base, urlPrefix: 'http://x', managedResources: [{ name: 'example.com/foo', ignoredByScheduler: true }] });
  expect(extender.interestedIn(pod('p'))).toBe(false);
  expect(extender.interestedIn(pod('p', { requests: { 'example.com/foo': '1' } }))).toBe(true);
  expect(extender.interestedIn(pod('p', { initContainers: [{ name: 'i', resources: { limits: { 'example.com/foo': '1' } } }] }))).toBe(true);
});

it.each([
  ['invents nodes', () => ({ Nodes: { items: [{ metadata: { name: 'c' } }] } }), 'claims a filtered node "c" which is not found in the input node list'],
  ['returns rubbish', () => '<html>', 'the answer is not JSON'],
  ['returns another type', () => [1], 'the answer is not an object: [1]'],
  ['names nodes by number', () => ({ Nodes: { items: [{ metadata: { name: 1 } }] } }), 'Nodes.items[0] has no metadata.name'],
  ['says that it failed', () => ({ Error: 'out of order' }), 'out of order'],
  ['hangs', () => undefined, 'no answer within 200 ms'],
])('one that %s is an error', async (_, answer, message) => {
  await using server = await startExtender({ filter: answer });
  const extender = new HttpExtender({ ...base, urlPrefix: server.url, filterVerb: 'filter', timeoutMs: 200 });
  await expect(extender.filter(pod('p'), nodes, signal)).rejects.toThrow(message);
});

it('one that does not know the verb, or is not there, is an error', async () => {
  let url: string;
  {
    await using server = await startExtender({});
    url = server.url;
    const extender = new HttpExtender({ ...base, urlPrefix: url, filterVerb: 'filter' });
    await expect(extender.filter(pod('p'), nodes, signal)).rejects.toThrow(`failed filter with extender at URL ${url}filter, code 404`);
  }
  await expect(new HttpExtender({ ...base, urlPrefix: url, filterVerb: 'filter' }).filter(pod('p'), nodes, signal)).rejects.toThrow('ECONNREFUSED');
});

it('HTTPS: checks the server against the authority given, shows a certificate, and trusts anybody only where nothing else is said', async () => {
  const now = Date.now();
  const [ca, other] = await Promise.all([createCa('extender', now, HOUR), createCa('other', now, HOUR)]);
  const issue = (usage: 'server' | 'client') =>
    issueCertificate(ca, { usage, subject: { commonName: usage }, dnsNames: ['extender.example.com'], now, validForMs: HOUR });
  const [serving, client] = await Promise.all([issue('server'), issue('client')]);
  await using server = await startExtender(
    { filter: () => ({ Nodes: { items: [] } }) },
    { cert: serving.cert, key: serving.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
  );
  const shown = { serverName: 'extender.example.com', certData: client.cert, keyData: client.key };
  const ask = (tls: Partial<ExtenderConfig['tls']>) =>
    new HttpExtender({ ...base, urlPrefix: server.url, filterVerb: 'filter', enableHTTPS: true, tls: { insecure: false, ...tls } }).filter(
      pod('p'),
      nodes,
      signal,
    );
  expect((await ask({ ...shown, caData: ca.cert })).nodes).toEqual([]);
  expect((await ask(shown)).nodes).toEqual([]);
  await expect(ask({ ...shown, caData: other.cert })).rejects.toThrow(/certificate|issuer/);
  await expect(ask({ ...shown, caData: ca.cert, serverName: 'else.example.com' })).rejects.toThrow('altnames');
  await expect(ask({ caData: ca.cert, serverName: 'extender.example.com' })).rejects.toThrow();
});
