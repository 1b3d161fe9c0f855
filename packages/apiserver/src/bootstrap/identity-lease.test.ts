import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { serverIdentity } from './identity-lease.js';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const LABEL = { 'apiserver.kubernetes.io/identity': 'kube-apiserver' };

const lease = (name: string, renewTime: string | undefined, labels: object = LABEL) => ({
  metadata: { name, labels },
  spec: { holderIdentity: name, leaseDurationSeconds: 3600, ...(renewTime ? { renewTime } : {}) },
});

it('an API server has a Lease named after its host, and takes away those of servers that are gone', async () => {
  const now = new Date().toISOString().replace('Z', '000Z');
  await using first = await startTestServer({ hostname: 'one' });
  const { metadata, spec } = (await first.call('GET', `${LEASES}/${serverIdentity('one')}`)).json;
  expect(metadata.labels).toEqual({ ...LABEL, 'kubernetes.io/hostname': 'one' });
  expect(spec).toEqual({
    holderIdentity: expect.stringMatching(/^apiserver-[a-z2-7]{26}_[0-9a-f-]{36}$/),
    leaseDurationSeconds: 3600,
    renewTime: expect.stringMatching(/\.\d{6}Z$/),
  });
  for (const body of [lease('alive', now), lease('gone', '2020-01-01T00:00:00.000000Z'), lease('odd', undefined), lease('other', undefined, {})])
    expect((await first.call('POST', LEASES, body)).status).toBe(201);
  // The next server of the same store.
  await using second = await startTestServer({ hostname: 'two', store: first.store });
  const { items } = (await second.call('GET', LEASES)).json;
  const names = items.map((each: { metadata: { name: string } }) => each.metadata.name);
  expect(names.sort()).toEqual(['alive', 'other', serverIdentity('one'), serverIdentity('two')].sort());
  expect((await second.call('GET', '/readyz/poststarthook/start-kube-apiserver-identity-lease-controller')).text).toBe('ok');
});

it('the identity is derived as upstream derives it', () => {
  // sha256("test") begins 9f86d081884c7d659a2feaa0c55ad015.
  expect(serverIdentity('test')).toBe('apiserver-t6dnbamijr6wlgrp5kqmkwwqcu');
});
