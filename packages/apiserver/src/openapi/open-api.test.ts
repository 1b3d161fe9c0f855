import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { establish, testCrd } from '../testing/test-crd.js';
import { decodeV3 } from './gnostic-v3.fixture.js';
import { ProtobufWriter } from './protobuf-writer.js';

const V3 = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
const V3_AT = 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf';
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

it('documents every verb as upstream names it', async () => {
  await using api = await startTestServer();
  const { json } = await api.call('GET', '/openapi/v3/api/v1');
  const pod = json.paths['/api/v1/namespaces/{namespace}/pods/{name}'];
  expect(pod.patch).toMatchObject({
    operationId: 'patchCoreV1NamespacedPod',
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' },
  });
  expect(pod.patch.parameters.map((each: { name: string }) => each.name)).toContain('fieldValidation');
  expect(json.paths['/api/v1/namespaces/{namespace}/pods/{name}/exec'].get.operationId).toBe('connectCoreV1GetNamespacedPodExec');
  const { schemas } = json.components;
  expect(schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  });
  expect(schemas['io.k8s.api.core.v1.Pod']['x-kubernetes-group-version-kind']).toEqual([{ group: '', kind: 'Pod', version: 'v1' }]);
  // Every reference leads somewhere.
  const missing = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/([^"]+)"/g)]
    .map((match) => match[1] as string)
    .filter((name) => !(name in schemas));
  expect(missing).toEqual([]);
});

it('is cached by hash: not modified, immutable, moved', async () => {
  await using api = await startTestServer();
  const url = (await api.call('GET', '/openapi/v3')).json.paths['apis/apps/v1'].serverRelativeURL as string;
  const first = await api.call('GET', url);
  expect(first.headers['cache-control']).toBe('public, immutable');
  const { etag } = first.headers;
  expect((await api.call('GET', url, undefined, { headers: { 'if-none-match': etag as string } })).status).toBe(304);
  const stale = await api.call('GET', '/openapi/v3/apis/apps/v1?hash=OLD');
  expect([stale.status, stale.headers.location]).toEqual([301, url]);
  const zipped = await api.call('GET', url, undefined, { headers: { 'accept-encoding': 'gzip' } });
  expect(JSON.parse(gunzipSync(zipped.bytes).toString()).openapi).toBe('3.0.0');
});

it('comes as protobuf for the clients that ask for it', async () => {
  await using api = await startTestServer();
  const { status, bytes } = await api.call('GET', '/openapi/v2', undefined, { headers: { accept: PROTOBUF } });
  expect(status).toBe(200);
  // swagger = 1: "2.0"; info = 2
  expect(bytes.subarray(0, 5)).toEqual(Buffer.from([0x0a, 3, 0x32, 0x2e, 0x30]));
  expect(bytes[5]).toBe(0x12);
  expect((await api.call('GET', '/openapi/v2', undefined, { headers: { accept: 'text/html' } })).status).toBe(406);
});

it('says the same of version 3 as protobuf, for every group version and a custom resource', async () => {
  await using api = await startTestServer();
  const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, nullable: true, description: 'Anything.' };
  const size = { type: 'integer', minimum: 1, maximum: 9.5, exclusiveMaximum: true, multipleOf: 1, default: 3, enum: [3, 4] };
  const flag = { type: 'boolean', default: false };
  const tags = { type: 'array', maxItems: 3, minItems: 1, items: { type: 'string', maxLength: 5, minLength: 1, pattern: '^a', default: 'a' } };
  const either = { type: 'object', properties: { a: flag, b: flag }, oneOf: [{ required: ['a'] }, { required: ['b'] }], not: { required: ['c'] } };
  const map = { type: 'object', minProperties: 1, maxProperties: 2, additionalProperties: { type: 'string' }, externalDocs: { url: 'about:blank' } };
  await establish(api, testCrd('widgets', 'Widget', { free, size, flag, tags, either, map }));
  const { paths } = (await api.call('GET', '/openapi/v3')).json as { paths: Record<string, { serverRelativeURL: string }> };
  for (const { serverRelativeURL } of Object.values(paths)) {
    const json = await api.call('GET', serverRelativeURL);
    const protobuf = await api.call('GET', serverRelativeURL, undefined, { headers: { accept: `${V3_AT}, application/json;q=0.5` } });
    expect([protobuf.status, protobuf.headers['content-type'], protobuf.headers.etag]).toEqual([200, V3, json.headers.etag]);
    expect(decodeV3(protobuf.bytes)).toEqual(json.json);
  }
  expect(Object.keys(paths)).toContain('apis/example.com/v1');
  expect((await api.call('GET', '/openapi/v3/api/v1', undefined, { headers: { accept: 'text/html' } })).status).toBe(406);
});

it('writes lengths in front of messages of any size', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () => writer.message(2, () => writer.string(3, 'x'.repeat(300))));
  const bytes = writer.finish();
  expect([...bytes.subarray(0, 9)]).toEqual([0x0a, 0xb2, 0x02, 0x12, 0xaf, 0x02, 0x1a, 0xac, 0x02]);
  expect(bytes.length).toBe(3 + 0x132);
});
