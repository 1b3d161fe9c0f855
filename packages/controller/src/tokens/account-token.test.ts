import { ApiError } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { expect, it } from 'vitest';
import { accountToken } from './account-token.js';

function setup() {
  let now = 0;
  const made: string[] = [];
  let asked = 0;
  const ask = (name: string) => async () => {
    if (!made.includes(name)) throw ApiError.notFound({ group: '', resource: 'serviceaccounts' }, name);
    return { status: { token: `${name}-${++asked}` } };
  };
  const accounts = {
    subresource: (name: string) => ({ create: ask(name) }),
    create: async ({ metadata }: { metadata: { name: string } }) => void made.push(metadata.name),
  };
  const manager = { api: { serviceAccounts: () => accounts } } as unknown as KubeClient;
  const clock = { monotonic: () => now } as Clock;
  return { token: accountToken(manager, 'job-controller', clock), made, pass: (ms: number) => (now += ms) };
}

it('makes the account, keeps the token, renews it before it ends', async () => {
  const { token, made, pass } = setup();
  expect(await Promise.all([token(), token()])).toEqual(['job-controller-1', 'job-controller-1']);
  expect(made).toEqual(['job-controller']);
  pass(47 * 60_000);
  expect(await token()).toBe('job-controller-1');
  pass(2 * 60_000);
  expect(await token()).toBe('job-controller-2');
});
