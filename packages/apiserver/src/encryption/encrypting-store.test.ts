import { definitions } from '@coxswain/api';
import { systemClock } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../testing/memory-store.js';
import { startTestServer } from '../testing/start-test-server.js';
import { encryptingStore } from './encrypting-store.js';
import { parseEncryptionConfig } from './encryption-config.js';

const config = (providers: object[]) =>
  parseEncryptionConfig(
    JSON.stringify({ kind: 'EncryptionConfiguration', apiVersion: 'apiserver.config.k8s.io/v1', resources: [{ resources: ['secrets'], providers }] }),
    definitions,
  );
const key = (fill: number, name: string) => ({ keys: [{ name, secret: Buffer.alloc(32, fill).toString('base64') }] });
const KEY = '/registry/secrets/default/s';

describe('encryption at rest', () => {
  it('keeps secrets encrypted, with keys that can be changed', async () => {
    const store = new MemoryStore(systemClock);
    const raw = async () => Buffer.from((await store.range({ key: KEY })).kvs[0]?.value ?? []).toString('latin1');
    {
      await using api = await startTestServer({ store: encryptingStore(store, config([{ aesgcm: key(1, 'one') }, { identity: {} }])) });
      await api.call('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' }, stringData: { password: 'hidden' } });
      expect(await raw()).toMatch(/^k8s:enc:aesgcm:v1:one:/);
      expect(await raw()).not.toContain(Buffer.from('hidden').toString('base64'));
    }
    await using api = await startTestServer({ store: encryptingStore(store, config([{ aescbc: key(2, 'two') }, { aesgcm: key(1, 'one') }])) });
    const read = await api.call('GET', '/api/v1/namespaces/default/secrets/s');
    expect(read.json.data.password).toBe(Buffer.from('hidden').toString('base64'));
    await api.call('PATCH', '/api/v1/namespaces/default/secrets/s', { metadata: { labels: { a: 'b' } } }, { type: 'application/merge-patch+json' });
    expect(await raw()).toMatch(/^k8s:enc:aescbc:v1:two:/);
    expect((await api.call('GET', '/api/v1/namespaces/default/secrets/s')).json.metadata.labels).toEqual({ a: 'b' });
  });

  it('does not take a value that was moved, or whose key is unknown', async () => {
    const store = new MemoryStore(systemClock);
    const locked = encryptingStore(store, config([{ aesgcm: key(1, 'one') }]));
    await locked.txn({ compare: [], success: [{ type: 'put', key: KEY, value: Buffer.from('{}') }] });
    const [kv] = (await store.range({ key: KEY })).kvs;
    await store.txn({ compare: [], success: [{ type: 'put', key: `${KEY}2`, value: kv?.value as Uint8Array }] });
    await expect(locked.range({ key: `${KEY}2` })).rejects.toThrow();
    await expect(encryptingStore(store, config([{ identity: {} }])).range({ key: KEY })).rejects.toThrow('not configured');
  });
});
