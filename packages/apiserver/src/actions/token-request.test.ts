import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import type { TestServer } from '../testing/start-test-server.js';

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';

/** A token as the kubelet asks for it for a pod, or as anybody does. */
async function token(api: TestServer, expirationSeconds: number, bound: boolean) {
  await api.call('POST', ACCOUNTS, { metadata: { name: 'default' } });
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  await api.call('POST', '/api/v1/namespaces/default/pods', pod);
  const spec = { expirationSeconds, ...(bound ? { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } } : {}) };
  const answer = await api.call('POST', `${ACCOUNTS}/default/token`, { spec });
  const { exp, iat, ...claims } = JSON.parse(Buffer.from(answer.json.status.token.split('.')[1], 'base64url').toString());
  return { asked: answer.json.spec.expirationSeconds, lives: exp - iat, warns: claims['kubernetes.io'].warnafter - iat, warning: answer.headers.warning };
}

it('tokens of pods live for a year and warn after an hour, unless that is turned off', async () => {
  await using api = await startTestServer();
  expect(await token(api, 3607, true)).toEqual({ asked: 3607, lives: 365 * 24 * 3600, warns: 3607, warning: undefined });
  expect(await token(api, 3607, false)).toMatchObject({ lives: 3607 });
  const { serviceAccounts } = api.server.options;
  await using plain = await startTestServer({ serviceAccounts: { ...serviceAccounts, extendTokens: false } });
  expect(await token(plain, 3607, true)).toMatchObject({ lives: 3607, warns: Number.NaN });
});

it('no token lives longer than the limit', async () => {
  await using first = await startTestServer();
  const { serviceAccounts } = first.server.options;
  await using api = await startTestServer({ serviceAccounts: { ...serviceAccounts, maxTokenSeconds: 3600 } });
  expect(await token(api, 7200, false)).toMatchObject({
    asked: 3600,
    lives: 3600,
    warning: expect.stringContaining('requested expiration of 7200 seconds shortened to 3600 seconds'),
  });
  expect(await token(api, 1800, false)).toMatchObject({ asked: 1800, lives: 1800, warning: undefined });
});
