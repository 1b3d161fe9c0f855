import { describe, expect, test } from 'vitest';
import {
  decode,
  decodeMessage,
  decodeObject,
  encodeMessage,
  encodeObject,
  findDefinition,
  type JsonObject,
  type KubeObject,
  type StructSchema,
  WireError,
} from '../index.js';
import { admit } from '../testing/admit.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function roundTrip(object: KubeObject): JsonObject {
  const [version = '', group = ''] = object.apiVersion.split('/').reverse();
  const schema = findDefinition(group, version, object.kind)?.schema ?? '';
  const back = decodeObject(encodeObject(object, schema));
  expect(decode(back, schema)).toEqual({ errors: [], unknown: [] });
  return back;
}

describe('bytes', () => {
  test('a config map in its envelope', () => {
    const bytes = encodeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { a: 'b' } }, 'io.k8s.api.core.v1.ConfigMap');
    // magic, typeMeta{v1, ConfigMap}, raw{metadata{eight empty fields}, data{a: b}}, contentEncoding, contentType
    expect(hex(bytes.subarray(0, 4))).toBe('6b387300');
    expect(hex(bytes)).toContain(hex(Buffer.from('\x0a\x0f\x0a\x02v1\x12\x09ConfigMap', 'latin1')));
    expect(hex(bytes)).toContain('12060a0161120162');
  });

  test('embedded messages, quantities, int-or-string, times and negative numbers', () => {
    const volume = encodeMessage({ name: 'v', hostPath: { path: '/x' } }, 'io.k8s.api.core.v1.Volume');
    expect(hex(volume)).toBe(hex(Buffer.from('\x0a\x01v\x12\x06\x0a\x04\x0a\x02/x', 'latin1')));
    const port = encodeMessage({ port: -1 }, 'io.k8s.api.core.v1.ServicePort');
    expect(hex(port)).toContain('18ffffffffffffffffff01');
    expect(decodeMessage(port, 'io.k8s.api.core.v1.ServicePort')).toMatchObject({ port: -1 });
    const lease = { renewTime: '2024-05-01T10:00:00.120000Z', leaseDurationSeconds: 15 };
    expect(decodeMessage(encodeMessage(lease, 'io.k8s.api.coordination.v1.LeaseSpec'), 'io.k8s.api.coordination.v1.LeaseSpec')).toEqual(lease);
  });
});

test('a message of a kind no table describes: inline structs and durations', () => {
  const message: StructSchema = {
    fields: {
      window: { type: { kind: 'duration' }, proto: 3 },
      parts: { type: { kind: 'list', items: { kind: 'struct', fields: { name: { type: { kind: 'string' }, proto: 1 } } } }, proto: 4 },
    },
  };
  const bytes = encodeMessage({ window: '1.5s', parts: [{ name: 'a' }, { name: 'b' }] }, message);
  // window{1: 1500000000}, parts{1: a}, parts{1: b}
  expect(hex(bytes)).toBe('1a060880dea0cb05' + '22030a0161' + '22030a0162');
  expect(decodeMessage(bytes, message)).toEqual({ window: '1.5s', parts: [{ name: 'a' }, { name: 'b' }] });
});

describe('round trips', () => {
  test.each<[string, object]>([
    [
      'a pod',
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', labels: { b: '2', a: '1' }, creationTimestamp: '2024-05-01T10:00:00Z', generation: 3 },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'i',
              resources: { limits: { cpu: '500m', memory: '1Gi' } },
              livenessProbe: { httpGet: { port: 'http' }, periodSeconds: 5 },
              env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
            },
          ],
          volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }],
        },
      },
    ],
    ['a secret', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 'AAEC/w==' } }],
    [
      'a CRD with its schema unions',
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'foos.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Cluster',
          names: { plural: 'foos', kind: 'Foo' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: {
                    spec: {
                      type: 'object',
                      additionalProperties: { type: 'array', items: { type: 'integer', default: 3, enum: [3, 4], maximum: 4.5 } },
                    },
                  },
                },
              },
            },
          ],
        },
      },
    ],
  ])('%s', (_name, input) => {
    const { object } = admit(input);
    expect(roundTrip(object)).toEqual(object);
  });

  test('a map of lists is a map of messages', () => {
    const review = { spec: { user: 'u', extra: { scopes: ['a', 'b'] } } };
    const schema = 'io.k8s.api.authorization.v1.SubjectAccessReview';
    expect(decodeMessage(encodeMessage(review, schema), schema)).toMatchObject(review);
  });
});

test('broken bytes are refused', () => {
  expect(() => decodeObject(Buffer.from('{}'))).toThrow(WireError);
  const bytes = encodeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, 'io.k8s.api.core.v1.ConfigMap');
  for (let cut = 5; cut < bytes.length - 4; cut += 3) expect(() => decodeObject(bytes.subarray(0, cut))).toThrow(WireError);
  const unknown = encodeObject({ apiVersion: 'x/v1', kind: 'Y', metadata: {} }, 'io.k8s.api.core.v1.ConfigMap');
  expect(() => decodeObject(unknown)).toThrow('no kind "Y" is registered for version "x/v1"');
});
