import { request as httpsRequest } from 'node:https';
import type { JsonObject } from '@coxswain/api';
import { decodeEnvelope, decodeMessage, decodeObject, encodeObject } from '@coxswain/api';
import type { KubeObject } from '@coxswain/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMap, startTestServer } from './testing/start-test-server.js';
import type { TestServer } from './testing/start-test-server.js';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const CONFIG_MAP = 'io.k8s.api.core.v1.ConfigMap';
const PATH = '/api/v1/namespaces/default/configmaps';
const headers = { accept: `${PROTOBUF},application/json` };

// biome-ignore lint/suspicious/noExplicitAny: looked into freely
const decoded = (bytes: Uint8Array): any => decodeObject(bytes);
const encoded = (object: object, schema = CONFIG_MAP): Buffer => Buffer.from(encodeObject(object as KubeObject, schema));

describe('application/vnd.kubernetes.protobuf', () => {
  let api: TestServer;
  beforeAll(async () => {
    api = await startTestServer();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('reads and writes built-in objects', async () => {
    const created = await api.call('POST', PATH, encoded(configMap('one', { data: { a: 'b' } })), { headers, type: PROTOBUF });
    expect([created.status, created.headers['content-type']]).toEqual([201, PROTOBUF]);
    expect(decoded(created.bytes)).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'one' }, data: { a: 'b' } });
    const json = await api.call('GET', `${PATH}/one`);
    const got = decoded((await api.call('GET', `${PATH}/one`, undefined, { headers })).bytes);
    expect(got.metadata.resourceVersion).toBe(json.json.metadata.resourceVersion);
    const updated = await api.call('PUT', `${PATH}/one`, encoded({ ...json.json, data: { a: 'c' } }), { headers, type: PROTOBUF });
    expect(decoded(updated.bytes).data).toEqual({ a: 'c' });
    const patched = await api.call('PATCH', `${PATH}/one`, { data: { d: 'e' } }, { headers, type: 'application/merge-patch+json' });
    expect(decoded(patched.bytes).data).toEqual({ a: 'c', d: 'e' });
  });

  it('lists, and shows metadata alone', async () => {
    const list = decodeEnvelope((await api.call('GET', PATH, undefined, { headers })).bytes);
    expect([list.apiVersion, list.kind]).toEqual(['v1', 'ConfigMapList']);
    const { items } = decodeMessage(list.raw, `${CONFIG_MAP}List`) as { items: JsonObject[] };
    expect(items.map((item) => (item.metadata as JsonObject).name)).toContain('one');
    const accept = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json`;
    const partial = decodeEnvelope((await api.call('GET', PATH, undefined, { headers: { accept } })).bytes);
    expect(partial.kind).toBe('PartialObjectMetadataList');
    const names = (decodeMessage(partial.raw, `${CONFIG_MAP}List`) as { items: JsonObject[] }).items.map((item) => (item.metadata as JsonObject).name);
    expect(names).toEqual(items.map((item) => (item.metadata as JsonObject).name));
  });

  it('answers errors and deletes with a Status', async () => {
    const missing = await api.call('GET', `${PATH}/nothing`, undefined, { headers });
    expect(missing.status).toBe(404);
    expect(decoded(missing.bytes)).toMatchObject({ kind: 'Status', apiVersion: 'v1', reason: 'NotFound', code: 404, details: { name: 'nothing' } });
    await api.call('POST', PATH, configMap('two'));
    const preconditions = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'other' } };
    const type = PROTOBUF;
    const refused = await api.call('DELETE', `${PATH}/two`, encoded(preconditions, 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'), { headers, type });
    expect(decoded(refused.bytes)).toMatchObject({ reason: 'Conflict' });
    const gone = await api.call('DELETE', `${PATH}/two`, undefined, { headers });
    expect(decoded(gone.bytes)).toMatchObject({ kind: 'Status', status: 'Success' });
  });

  it('reviews', async () => {
    const review = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata: {} };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = await api.call('POST', path, encoded(review, 'io.k8s.api.authentication.v1.SelfSubjectReview'), { headers, type: PROTOBUF });
    expect(decoded(answer.bytes).status.userInfo.username).toBe('admin');
  });

  it('streams watch events in length-delimited frames', async () => {
    await api.call('POST', PATH, configMap('watched'));
    const { port } = api.server;
    const { bytes, type } = await new Promise<{ bytes: Buffer; type: string | undefined }>((resolve, reject) => {
      const path = `${PATH}?watch=true&fieldSelector=metadata.name%3Dwatched`;
      const accept = `${PROTOBUF};stream=watch,application/json`;
      const outgoing = httpsRequest(
        { host: '127.0.0.1', port, path, rejectUnauthorized: false, headers: { authorization: 'Bearer admin', accept } },
        (answer) => {
          answer.once('data', (data: Buffer) => {
            resolve({ bytes: data, type: answer.headers['content-type'] });
            outgoing.destroy();
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(type).toBe(`${PROTOBUF};stream=watch`);
    expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4);
    const event = decodeMessage(bytes.subarray(4), 'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent');
    expect(event).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'watched' } } });
  });

  it('offers tables and custom kinds in JSON only', async () => {
    const accept = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`;
    expect((await api.call('GET', PATH, undefined, { headers: { accept } })).status).toBe(406);
    const mixed = await api.call('GET', PATH, undefined, { headers: { accept: `${accept},application/json;as=Table;g=meta.k8s.io;v=v1` } });
    expect(mixed.json.kind).toBe('Table');
  });
});
