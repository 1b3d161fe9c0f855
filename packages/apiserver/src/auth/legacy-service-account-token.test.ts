import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import { ServiceAccountTokens } from './service-account-tokens.js';
import { signingKey, signToken } from './token-keys.js';

const pem = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const signing = signingKey(pem());
const objects = new Map<string, object>();
const cacheOf = (resource: string) =>
  ({ get: (namespace: string, name: string) => ({ object: objects.get(`${resource}/${namespace}/${name}`) }) }) as ResourceCache;
const tokens = new ServiceAccountTokens({
  issuers: ['https://issuer'],
  apiAudiences: ['api'],
  signing,
  verifying: [signing],
  clock: systemClock,
  random: systemRandom,
  caches: { serviceAccounts: cacheOf('sa'), secrets: cacheOf('secret'), pods: cacheOf('pod'), nodes: cacheOf('node') },
});
const claim = 'kubernetes.io/serviceaccount';
const claims = {
  [`${claim}/namespace`]: 'ns',
  [`${claim}/secret.name`]: 'carrier',
  [`${claim}/service-account.name`]: 'robot',
  [`${claim}/service-account.uid`]: 'u1',
  iss: 'kubernetes/serviceaccount',
  sub: 'system:serviceaccount:ns:robot',
};
const token = signToken(claims, signing);
const put = (metadata: object = {}, carried = token) =>
  objects.set('secret/ns/carrier', { metadata: { name: 'carrier', ...metadata }, data: { token: Buffer.from(carried).toString('base64') } });

beforeEach(() => {
  objects.set('sa/ns/robot', { metadata: { name: 'robot', uid: 'u1' } });
  put();
});

test('the token that a Secret carries is its service account', () => {
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:ns'];
  expect(tokens.check(token, ['api'])).toEqual({ type: 'user', user: { name: 'system:serviceaccount:ns:robot', uid: 'u1', groups }, audiences: ['api'] });
});

test('it is for the API server only', () => expect(tokens.check(token, ['other']).type).toBe('failed'));

test('others cannot sign one', () => {
  expect(tokens.check(signToken(claims, { ...signingKey(pem()), id: signing.id }), ['api'])).toEqual({ type: 'failed', message: 'invalid signature' });
  expect(tokens.check(signToken({ ...claims, iss: 'else' }, signing), ['api'])).toEqual({ type: 'none' });
});

test.each<[string, () => unknown]>([
  ['its Secret', () => objects.delete('secret/ns/carrier')],
  ['a Secret that stays', () => put({ deletionTimestamp: '2026-01-01T00:00:00Z' })],
  ['a Secret that carries it', () => put({}, 'another')],
  ['a Secret that is good', () => put({ labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } })],
  ['its service account', () => objects.delete('sa/ns/robot')],
  ['the same service account', () => objects.set('sa/ns/robot', { metadata: { uid: 'u2' } })],
])('it is nothing without %s', (_what, lose) => {
  lose();
  expect(tokens.check(token, ['api']).type).toBe('failed');
});
