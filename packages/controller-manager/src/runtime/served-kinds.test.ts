import type { KubeClient } from '@coxswain/client';
import { expect, test } from 'vitest';
import { ServedKinds } from './served-kinds.js';

function server(resources: object[]) {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    if (path === '/apis') return { groups: [{ name: 'example.com', versions: [{ groupVersion: 'example.com/v1', version: 'v1' }] }] };
    return { resources: path === '/apis/example.com/v1' ? resources : [] };
  };
  return { asked, resources, client: { get } as KubeClient };
}
const resource = (name: string, kind: string) => ({ name, kind, namespaced: true, verbs: [] });
const { signal } = new AbortController();

test('the API server is asked again only for what is not known', async () => {
  const { asked, client } = server([resource('boats', 'Boat'), resource('boats/scale', 'Scale')]);
  const kinds = new ServedKinds(client);
  expect(await kinds.find('example.com', 'Boat', signal)).toMatchObject({ resource: { resource: 'boats', version: 'v1' }, scalable: true });
  const once = asked.length;
  await kinds.find('example.com', 'Boat', signal);
  expect(asked).toHaveLength(once);
  expect(await kinds.find('example.com', 'Ship', signal)).toBeUndefined();
  expect(asked).toHaveLength(2 * once);
  kinds.forget();
  await kinds.find('example.com', 'Boat', signal);
  expect(asked).toHaveLength(3 * once);
});

test('of two resources of a kind the one with a scale is found', async () => {
  const { client } = server([resource('boats', 'Boat'), resource('fleet', 'Boat'), resource('fleet/scale', 'Scale')]);
  expect(await new ServedKinds(client).find('example.com', 'Boat', signal)).toMatchObject({ resource: { resource: 'fleet' }, scalable: true });
});
