import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, type CheckContext, truly, WEB } from './check.js';

const policies = (c: CheckContext) => `/apis/networking.k8s.io/v1/namespaces/${c.ns}/networkpolicies`;
const policy = (c: CheckContext, name: string, spec: Json) => c.api.post(policies(c), { metadata: { name }, spec });

/** A server with a Service before it, and two clients. */
async function serverAndClients(c: CheckContext): Promise<string> {
  const ports = { container: { ports: [{ containerPort: 80, name: 'http' }], readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 1 } } };
  await c.pod('server', { command: WEB, ...ports }, { labels: { app: 'server' } });
  await c.pod('friend', {}, { labels: { role: 'friend' } });
  await c.pod('stranger');
  await c.api.post(`${c.core}/services`, { metadata: { name: 'server' }, spec: { selector: { app: 'server' }, ports: [{ port: 80 }] } });
  for (const name of ['server', 'friend', 'stranger']) await c.running(name);
  return (await c.api.get(`${c.core}/pods/server`)).status.podIP;
}

const gets = async (c: CheckContext, from: string, url: string): Promise<boolean> =>
  (await c.exec(from, `timeout 2 wget -q -O - http://${url}/`).catch(() => '')).trim() === 'server';
const allowed = (c: CheckContext, from: string, url: string) => eventually(`${from} to reach ${url}`, async () => truly(await gets(c, from, url), 'no answer'));
const denied = (c: CheckContext, from: string, url: string) =>
  eventually(`${from} to be kept from ${url}`, async () => truly(!(await gets(c, from, url)), 'still an answer'));

export const checks: readonly Check[] = [
  {
    name: 'Netpol NetworkPolicy between server and client should enforce policy to allow ingress traffic by pod label, also by way of a service',
    async run(c) {
      const ip = await serverAndClients(c);
      for (const from of ['friend', 'stranger']) await allowed(c, from, 'server');
      await policy(c, 'deny', { podSelector: {}, policyTypes: ['Ingress'] });
      for (const from of ['friend', 'stranger']) for (const url of [ip, 'server']) await denied(c, from, url);
      await policy(c, 'friends', {
        podSelector: { matchLabels: { app: 'server' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { role: 'friend' } } }], ports: [{ port: 'http' }] }],
      });
      for (const url of [ip, 'server']) await allowed(c, 'friend', url);
      await denied(c, 'stranger', 'server');
      await c.api.patch(`${c.core}/pods/stranger`, 'merge', { metadata: { labels: { role: 'friend' } } });
      await allowed(c, 'stranger', 'server');
      // Kubelets probe pods whatever policies say.
      await c.running('server');
      for (const name of ['deny', 'friends']) await c.api.raw('DELETE', `${policies(c)}/${name}`);
    },
  },
  {
    name: 'Netpol NetworkPolicy between server and client should deny egress traffic, and allow it to DNS and by namespace',
    async run(c) {
      const ip = await serverAndClients(c);
      await policy(c, 'deny', { podSelector: { matchLabels: { role: 'friend' } }, policyTypes: ['Egress'] });
      await denied(c, 'friend', ip);
      await allowed(c, 'stranger', 'server');
      await policy(c, 'home', {
        podSelector: { matchLabels: { role: 'friend' } },
        policyTypes: ['Egress'],
        egress: [
          { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': c.ns } } }], ports: [{ port: 80 }] },
          { ports: [{ port: 53, protocol: 'UDP' }] },
        ],
      });
      await allowed(c, 'friend', 'server');
      await c.api.raw('DELETE', `${policies(c)}/home`);
      await denied(c, 'friend', 'server');
    },
  },
];
