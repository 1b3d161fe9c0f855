import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

it('serves profiles to whom it lets, when it is told to', { timeout: 60_000 }, async () => {
  await using api = await startTestServer({ profiling: true });
  const { status, text, headers } = await api.call('GET', '/debug/pprof/profile?seconds=0.2');
  expect([status, headers['content-type']]).toEqual([200, 'application/json']);
  expect(JSON.parse(text)).toHaveProperty('nodes');
  expect((await api.call('GET', '/debug/pprof/')).text).toContain('heap:');
  expect((await api.call('GET', '/debug/pprof/heap')).text.slice(0, 12)).toBe('{"snapshot":');
  expect((await api.call('GET', '/debug/pprof/mutex')).status).toBe(404);
  const refused = await api.call('GET', '/debug/pprof/profile', undefined, { token: 'bob' });
  expect(refused.json.message).toBe('forbidden: User "bob" cannot get path "/debug/pprof/profile"');
  await using plain = await startTestServer();
  expect((await plain.call('GET', '/debug/pprof/')).status).toBe(404);
});
