import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterAll, expect, it } from 'vitest';
import { createApiServer } from '../create-api-server.js';
import { parseApiServerFlags } from '../options.js';
import { MemoryStore } from '../testing/memory-store.js';
import { startWebhook } from '../testing/start-webhook.js';

const folder = mkdtempSync(join(tmpdir(), 'open-audit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function start(flags: Record<string, string>, warnings: string[] = []) {
  const config = parseApiServerFlags({ 'cert-dir': join(folder, 'certs'), 'bind-address': '127.0.0.1', 'secure-port': '0', ...flags });
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const server = await createApiServer(config, { store: new MemoryStore(systemClock), clock: systemClock, random: systemRandom, logger });
  await server.start(new AbortController().signal);
  return server;
}

const policy = put('policy.yaml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{ level: Metadata, users: [eve] }]\n');
const eve = { name: 'eve', groups: ['system:masters'] };

it('sends events to a webhook by the batch, again when it failed, and the rest when the server stops', async () => {
  let failures = 1;
  await using hook = await startWebhook(() => (failures-- > 0 ? 503 : {}));
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'hook', cluster: { server: `${hook.url}/audit`, 'certificate-authority-data': hook.caBundle } }],
    users: [{ name: 'apiserver', user: {} }],
    contexts: [{ name: 'hook', context: { cluster: 'hook', user: 'apiserver' } }],
    'current-context': 'hook',
  };
  const log = join(folder, 'audit.log');
  const server = await start({
    'audit-policy-file': policy,
    'audit-log-path': log,
    'audit-log-mode': 'batch',
    'audit-webhook-config-file': put('hook.json', JSON.stringify(kubeconfig)),
    'audit-webhook-initial-backoff': '1ms',
    'audit-webhook-batch-max-size': '2',
  });
  const api = server.transport(eve);
  for (const name of ['a', 'b', 'c']) await api.request({ method: 'GET', path: `/api/v1/namespaces/${name}`, headers: {} });
  await server.stop(new AbortController().signal);
  const batches = hook.calls.map(({ body, url }) => [url, body.kind, body.items.map(({ objectRef }: { objectRef: { name: string } }) => objectRef.name)]);
  expect(batches).toEqual([
    ['/audit', 'EventList', ['a', 'b']],
    ['/audit', 'EventList', ['a', 'b']],
    ['/audit', 'EventList', ['c']],
  ]);
  const logged = readFileSync(log, 'utf8').trim().split('\n');
  expect(logged.map((line) => JSON.parse(line).objectRef.name)).toEqual(['a', 'b', 'c']);
});

it('records nothing without a policy, and says so', async () => {
  const warnings: string[] = [];
  const server = await start({ 'audit-log-path': join(folder, 'none.log') }, warnings);
  expect(warnings).toContain('there is no --audit-policy-file: no events are recorded');
  await server.stop(AbortSignal.abort());
});
