import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prefixRange, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterAll, expect, it } from 'vitest';
import { createApiServer } from '../create-api-server.js';
import { parseApiServerFlags } from '../options.js';
import { MemoryStore } from '../testing/memory-store.js';
import { configMap, startTestServer } from '../testing/start-test-server.js';
import { prefixedStore } from './prefixed-store.js';

it('keeps everything under another prefix, and finds it there again', async () => {
  const store = new MemoryStore(systemClock);
  const path = '/api/v1/namespaces/default/configmaps';
  {
    await using api = await startTestServer({ store: prefixedStore(store, '/clusters/one') });
    const seen = api.watch(`${path}?watch=1&timeoutSeconds=20`, (events) => events.length >= 2);
    await api.call('POST', path, configMap('a', { data: { k: 'v' } }));
    await api.call('DELETE', `${path}/a`);
    expect((await seen).map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'a'],
      ['DELETED', 'a'],
    ]);
    await api.call('POST', path, configMap('b'));
  }
  const keys = async (prefix: string) => (await store.range(prefixRange(prefix), { keysOnly: true })).kvs.map(({ key }) => key);
  expect(await keys('/registry')).toEqual([]);
  const ours = await keys('/clusters/one/');
  expect(ours).toContain('/clusters/one/configmaps/default/b');
  expect(await keys('/')).toEqual(ours);
  await using again = await startTestServer({ store: prefixedStore(store, '/clusters/one') });
  expect((await again.call('GET', `${path}/b`)).status).toBe(200);
  // Another cluster in the same store.
  await using other = await startTestServer({ store: prefixedStore(store, '/clusters/two') });
  expect((await other.call('GET', `${path}/b`)).status).toBe(404);
});

const folder = mkdtempSync(join(tmpdir(), 'prefixed-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('encrypts what is to be encrypted there as well', async () => {
  const file = join(folder, 'encryption.json');
  const providers = [{ aesgcm: { keys: [{ name: 'k', secret: Buffer.alloc(32, 7).toString('base64') }] } }];
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources: [{ resources: ['secrets'], providers }] }),
  );
  const flags = { 'bind-address': '127.0.0.1', 'secure-port': '0', 'cert-dir': folder, 'etcd-prefix': 'other', 'encryption-provider-config': file };
  const store = new MemoryStore(systemClock);
  const server = await createApiServer(parseApiServerFlags(flags), { store, clock: systemClock, random: systemRandom, logger: silentLogger });
  await server.start(new AbortController().signal);
  const api = server.transport({ name: 'admin', groups: ['system:masters'] });
  const path = '/api/v1/namespaces/default/secrets';
  const body = Buffer.from(JSON.stringify({ metadata: { name: 's' }, data: { k: 'dg==' } }));
  expect((await api.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body })).status).toBe(201);
  const { kvs } = await store.range({ key: '/other/secrets/default/s' });
  expect(Buffer.from(kvs[0]?.value ?? []).toString('latin1')).toMatch(/^k8s:enc:aesgcm:v1:k:/);
  expect((await api.request({ method: 'GET', path: `${path}/s`, headers: {} })).status).toBe(200);
  await server.stop(AbortSignal.abort());
});
