import { prefixRange } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { configMap, memoryStore, startTestServer } from '../testing/start-test-server.js';
import { prefixedStore } from './prefixed-store.js';

it('keeps everything under another prefix, and finds it there again', async () => {
  const store = memoryStore();
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
