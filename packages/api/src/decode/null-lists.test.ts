import { expect, test } from 'vitest';
import { decode, decodeMessage, encodeMessage, type JsonObject } from '../index.js';

const read = (type: string, object: JsonObject): JsonObject => {
  expect(decode(object, `io.k8s.api.${type}`).errors).toEqual([]);
  return object;
};

test.each<[string, JsonObject]>([
  ['rbac.v1.Role', { rules: null }],
  ['rbac.v1.ClusterRole', { rules: null }],
  ['discovery.v1.EndpointSlice', { endpoints: null, ports: null }],
])('%s: what is no list is written as null, and read', (type, lists) => {
  for (const given of [{}, lists, Object.fromEntries(Object.keys(lists).map((name) => [name, []]))])
    expect(read(type, structuredClone(given))).toMatchObject(lists);
  const role = read(type, {});
  const again = decodeMessage(encodeMessage(role, `io.k8s.api.${type}`), `io.k8s.api.${type}`);
  expect(read(type, again)).toMatchObject(lists);
});

test('what validation wants is left out', () => expect(read('core.v1.PodSpec', { containers: null })).not.toHaveProperty('containers'));

test('a sparse object stays as it is', () => {
  const patch: JsonObject = {};
  decode(patch, 'io.k8s.api.rbac.v1.Role', { zeros: false });
  expect(patch).toEqual({});
});
