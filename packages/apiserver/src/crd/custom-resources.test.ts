import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { startWebhook } from '../testing/start-webhook.js';
import type { Answerer } from '../testing/start-webhook.js';
import { CRDS, establish, eventually, testCrd } from '../testing/test-crd.js';

const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const widget = (name: string, spec: object, more: object = {}) => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, spec, ...more });

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', maximum: 10 },
    color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    note: { type: 'string', nullable: true },
    port: { 'x-kubernetes-int-or-string': true },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, max: { type: 'integer', maximum: 3 } } },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  },
};
const status = { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } };
const version = {
  subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' } },
  additionalPrinterColumns: [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Color', type: 'string', jsonPath: '.spec.color' },
  ],
  selectableFields: [{ jsonPath: '.spec.color' }],
};
const widgets = testCrd('widgets', 'Widget', { spec, status }, { version });

describe('custom resources', () => {
  it('are pruned, defaulted, counted and split into status and spec', async () => {
    await using api = await startTestServer();
    await establish(api, widgets);
    const created = await api.call(
      'POST',
      WIDGETS,
      widget('a', { size: 1, unknown: 1, note: null, port: '80%', free: { any: [1] } }, { status: { replicas: 9 } }),
    );
    expect(created.status, created.text).toBe(201);
    expect(created.json.spec).toEqual({ size: 1, color: 'red', note: null, port: '80%', free: { any: [1] } });
    expect(created.json.status).toBeUndefined();
    expect(String(created.headers.warning)).toContain('unknown field \\"spec.unknown\\"');
    const patch = (path: string, body: object) => api.call('PATCH', `${WIDGETS}/a${path}`, body, { type: 'application/merge-patch+json' });
    expect((await patch('/status', { status: { replicas: 2, selector: 'a=b' }, spec: { size: 5 } })).json).toMatchObject({
      spec: { size: 1 },
      status: { replicas: 2 },
      metadata: { generation: 1 },
    });
    expect((await patch('/scale', { spec: { replicas: 4 } })).json).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 4 },
      status: { replicas: 2, selector: 'a=b' },
    });
    expect((await api.call('GET', `${WIDGETS}/a`)).json).toMatchObject({ spec: { size: 4 }, metadata: { generation: 2 } });
    const table = await api.call('GET', WIDGETS, undefined, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } });
    expect(table.json.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'Size', 'Color']);
    expect(table.json.rows[0].cells).toEqual(['a', 4, 'red']);
    expect((await api.call('GET', `${WIDGETS}?fieldSelector=spec.color%3Dblue`)).json.items).toHaveLength(0);
    expect((await api.call('PATCH', `${WIDGETS}/a`, {}, { type: 'application/strategic-merge-patch+json' })).status).toBe(415);
  });

  it.each([
    [{}, 'spec.size: Required value'],
    [{ size: 'x' }, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
    [{ size: 11 }, 'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10'],
    [{ size: 1, color: 'green' }, 'spec.color: Unsupported value: "green": supported values: "red", "blue"'],
    [{ size: 1, tags: ['a', 'a'] }, 'spec.tags[1]: Duplicate value: "a"'],
    [{ size: 1, parts: [{ name: 'a' }, { name: 'a' }] }, 'spec.parts[1]: Duplicate value: {"name":"a"}'],
    [{ size: 1, port: true }, 'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
    [{ size: 1, template: { metadata: {} } }, 'spec.template.apiVersion: Required value: must not be empty'],
  ])('are held to their schema: %j', async (given, text) => {
    await using api = await startTestServer();
    await establish(api, widgets);
    const { status: code, json } = await api.call('POST', WIDGETS, widget('a', given));
    expect(code).toBe(422);
    expect(json.message).toContain(text);
  });

  it('may keep what a tighter schema no longer allows', async () => {
    await using api = await startTestServer();
    const loose = structuredClone(spec);
    loose.properties.size.maximum = 100;
    await establish(api, testCrd('widgets', 'Widget', { spec: loose }));
    await api.call('POST', WIDGETS, widget('a', { size: 50, parts: [{ name: 'x', max: 3 }] }));
    const crd = (await api.call('GET', `${CRDS}/widgets.example.com`)).json;
    crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.size.maximum = 10;
    expect((await api.call('PUT', `${CRDS}/widgets.example.com`, crd)).status).toBe(200);
    await eventually(api, '/openapi/v3/apis/example.com/v1', ({ text }) => text.includes('"maximum":10'));
    const patch = (body: object) => api.call('PATCH', `${WIDGETS}/a`, body, { type: 'application/merge-patch+json' });
    expect((await patch({ spec: { color: 'blue' } })).status).toBe(200);
    expect((await patch({ spec: { size: 60 } })).status).toBe(422);
  });

  it('go with their definition, which waits for them', async () => {
    await using api = await startTestServer();
    await establish(api, widgets);
    await api.call('POST', WIDGETS, widget('a', { size: 1 }, { metadata: { name: 'a', finalizers: ['example.com/hold'] } }));
    await api.call('DELETE', `${CRDS}/widgets.example.com`);
    const held = await eventually(api, `${CRDS}/widgets.example.com`, ({ json }) =>
      json.status?.conditions?.some((each: { type: string; reason: string }) => each.type === 'Terminating' && each.reason === 'InstanceDeletionInProgress'),
    );
    expect(held.json.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    expect((await api.call('POST', WIDGETS, widget('b', { size: 1 }))).status).toBe(405);
    await api.call('PATCH', `${WIDGETS}/a`, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
    await eventually(api, `${CRDS}/widgets.example.com`, ({ status: code }) => code === 404);
    expect((await api.call('GET', WIDGETS)).status).toBe(404);
    expect((await api.call('GET', '/apis')).text).not.toContain('example.com');
  });

  it('are in discovery and OpenAPI as soon as they are established', async () => {
    await using api = await startTestServer();
    await establish(api, widgets);
    expect((await api.call('GET', '/apis/example.com/v1')).json.resources.map((each: { name: string }) => each.name)).toEqual([
      'widgets',
      'widgets/scale',
      'widgets/status',
    ]);
    const index = (await api.call('GET', '/openapi/v3')).json.paths['apis/example.com/v1'].serverRelativeURL;
    const { json } = await api.call('GET', index);
    expect(json.components.schemas['com.example.v1.Widget'].properties.spec.properties.size).toEqual({ type: 'integer', maximum: 10 });
    expect(json.paths['/apis/example.com/v1/namespaces/{namespace}/widgets'].get.operationId).toBe('listExampleComV1NamespacedWidget');
  });

  it('are the same objects in every version that needs no conversion', async () => {
    await using api = await startTestServer();
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string', default: 'x' } } } },
      },
    };
    await establish(
      api,
      testCrd(
        'widgets',
        'Widget',
        {},
        {
          spec: {
            versions: [
              { name: 'v1', served: true, storage: true, schema },
              {
                name: 'v1beta1',
                served: true,
                storage: false,
                schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'integer' } } } } } },
              },
            ],
          },
        },
      ),
    );
    await api.call('POST', WIDGETS, widget('a', { a: 1 }));
    const other = await api.call('GET', WIDGETS.replace('/v1/', '/v1beta1/').concat('/a'));
    expect(other.json).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { a: 1 } });
    expect(other.json.spec.b).toBeUndefined();
    expect((await api.call('GET', '/apis/example.com')).json.preferredVersion.version).toBe('v1');
  });
});

describe('conversion webhooks', () => {
  const convert: Answerer = ({ body }) => {
    const { uid, desiredAPIVersion, objects } = body.request;
    const convertedObjects = objects.map((object: { spec: { host?: string; port?: string; address?: string } }) => {
      const { host, port, address } = object.spec;
      const spec = desiredAPIVersion === 'example.com/v1' ? { host: address?.split(':')[0], port: address?.split(':')[1] } : { address: `${host}:${port}` };
      return { ...object, apiVersion: desiredAPIVersion, spec };
    });
    return { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response: { uid, convertedObjects, result: { status: 'Success' } } };
  };
  const open = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } };
  const versions = [
    { name: 'v1', served: true, storage: true, schema: open },
    { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { ...open.openAPIV3Schema, description: 'two' } } },
  ];
  const V2 = WIDGETS.replace('/v1/', '/v2/');

  it('translate what is written, read, listed and watched', async () => {
    await using hook = await startWebhook(convert);
    await using api = await startTestServer();
    const conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: hook.url, caBundle: hook.caBundle } } };
    await establish(api, testCrd('widgets', 'Widget', {}, { spec: { versions, conversion } }));
    const seen = api.watch(`${V2}?watch=true`, (events) => events.length >= 2);
    expect((await api.call('POST', WIDGETS, widget('a', { host: 'h', port: '1' }))).status).toBe(201);
    const two = await api.call('POST', V2, { ...widget('b', { address: 'x:2' }), apiVersion: 'example.com/v2' });
    expect(two.json, two.text).toMatchObject({ apiVersion: 'example.com/v2', spec: { address: 'x:2' } });
    expect((await api.call('GET', `${WIDGETS}/b`)).json.spec).toEqual({ host: 'x', port: '2' });
    expect((await api.call('GET', V2)).json.items.map((item: { spec: object }) => item.spec)).toEqual([{ address: 'h:1' }, { address: 'x:2' }]);
    expect((await seen).map(({ object }) => [object.apiVersion, object.spec])).toEqual([
      ['example.com/v2', { address: 'h:1' }],
      ['example.com/v2', { address: 'x:2' }],
    ]);
    const patched = await api.call('PATCH', `${V2}/a`, { spec: { address: 'h:9' } }, { type: 'application/merge-patch+json' });
    expect(patched.json.spec).toEqual({ address: 'h:9' });
    expect((await api.call('GET', `${WIDGETS}/a`)).json.spec).toEqual({ host: 'h', port: '9' });
  });

  it('that fail make the version unreadable, and say so', async () => {
    await using hook = await startWebhook(() => ({ response: { uid: 'x' } }));
    await using api = await startTestServer();
    const conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: hook.url, caBundle: hook.caBundle } } };
    await establish(api, testCrd('widgets', 'Widget', {}, { spec: { versions, conversion } }));
    await api.call('POST', WIDGETS, widget('a', {}));
    const { status: code, json } = await api.call('GET', `${V2}/a`);
    expect(code).toBe(500);
    expect(json.message).toContain('conversion webhook for example.com/v1, Kind=Widget failed: expected response.uid=');
  });
});

describe('custom resource definitions', () => {
  it('do not share names within a group', async () => {
    await using api = await startTestServer();
    await establish(api, widgets);
    await api.call('POST', CRDS, testCrd('gadgets', 'Widget', {}));
    const { json } = await eventually(api, `${CRDS}/gadgets.example.com`, (answer) => answer.json.status?.conditions);
    expect(json.status.conditions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'NamesAccepted', status: 'False', reason: 'ListKindConflict' }),
        expect.objectContaining({ type: 'Established', status: 'False', reason: 'NotAccepted' }),
      ]),
    );
    await api.call('DELETE', `${CRDS}/widgets.example.com`);
    await eventually(api, `${CRDS}/gadgets.example.com`, (answer) => answer.json.status.conditions.every((each: { status: string }) => each.status === 'True'));
  });

  it.each([
    [{ metadata: { name: 'x.example.com' } }, 'must be spec.names.plural+"."+spec.group'],
    [{ schema: { type: 'object', properties: { a: {} } } }, 'properties[a].type: Required value: must not be empty for specified object fields'],
    [{ schema: { type: 'object', properties: { a: { type: 'integer', default: 'x' } } } }, 'properties[a].default: Invalid value: "string"'],
    [{ schema: { type: 'object', properties: { a: { type: 'object', default: { b: 1 } } } } }, 'must not have unknown fields'],
    [
      { schema: { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } } },
      'must not specify anything other than name and generateName',
    ],
    [
      { schema: { type: 'object', properties: { a: { type: 'string', anyOf: [{ type: 'string' }] } } } },
      'anyOf[0].type: Forbidden: must be empty to be structural',
    ],
    [{ schema: { type: 'object', properties: { a: { type: 'array' } } } }, 'properties[a].items: Required value: must be specified'],
    [{ schema: { type: 'object', properties: { a: { $ref: '#/x', type: 'string' } } } }, '$ref is not supported'],
  ])('are refused: %j', async (bad: { metadata?: object; schema?: object }, text) => {
    await using api = await startTestServer();
    const crd = testCrd('widgets', 'Widget', {}, bad.schema ? { version: { schema: { openAPIV3Schema: bad.schema } } } : {});
    const { status: code, json } = await api.call('POST', CRDS, { ...crd, ...(bad.metadata ? { metadata: bad.metadata } : {}) });
    expect(code).toBe(422);
    expect(json.message).toContain(text);
  });
});
