import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { ProtobufWriter } from './protobuf-writer.js';

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

it('writes lengths in front of messages of any size', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () => writer.message(2, () => writer.string(3, 'x'.repeat(300))));
  const bytes = writer.finish();
  expect([...bytes.subarray(0, 9)]).toEqual([0x0a, 0xb2, 0x02, 0x12, 0xaf, 0x02, 0x1a, 0xac, 0x02]);
  expect(bytes.length).toBe(3 + 0x132);
});
