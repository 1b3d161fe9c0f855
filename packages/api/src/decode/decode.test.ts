import { describe, expect, test } from 'vitest';
import { decode, duplicateFields, type JsonObject } from '../index.js';

const POD = 'io.k8s.api.core.v1.Pod';

const QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const pod = (spec: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec });

describe('decode', () => {
  test('canonical quantities and times, no nulls, zero values as upstream writes them', () => {
    const object = pod({
      containers: [{ name: 'c', image: 'i', command: null, args: [], stdin: false, resources: { limits: { cpu: '1000m', memory: 1024 } } }],
      hostname: '',
    });
    (object.metadata as JsonObject).creationTimestamp = '2024-05-01T10:00:00.5+02:00';
    expect(decode(object, POD)).toEqual({ errors: [], unknown: [] });
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', creationTimestamp: '2024-05-01T08:00:00Z' },
      spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1', memory: '1024' } } }] },
      status: {},
    });
  });

  test('sparse when asked', () => {
    const patch: JsonObject = { spec: { hostname: '', containers: [] } };
    decode(patch, POD, { zeros: false });
    expect(patch).toEqual({ spec: { hostname: '', containers: [] } });
  });

  test.each<[JsonObject, string]>([
    [{ priority: 'high' }, '.spec.priority: expected numeric (int or float), got string'],
    [{ hostNetwork: 'yes' }, '.spec.hostNetwork: expected boolean, got &{yes}'],
    [
      { hostname: { b: [1], a: true } },
      '.spec.hostname: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":true, "b":[]interface {}{1}}}',
    ],
    [{ containers: { name: 'c', ports: [1, 2] } }, '.spec.containers: expected list, got &{map[name:c ports:[1 2]]}'],
    [{ securityContext: 'none' }, '.spec.securityContext: expected map, got &{none}'],
    [
      { containers: [{ name: 'c', env: [{ name: 'PORT', value: 587 }] }] },
      '.spec.containers[name="c"].env[name="PORT"].value: expected string, got &value.valueUnstructured{Value:587}',
    ],
    [
      { containers: [{ name: 'c', ports: [{ containerPort: 80, x: 1 }] }] },
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].x: field not declared in schema',
    ],
    [{ tolerations: [{ key: 1 }] }, '.spec.tolerations[0].key: expected string, got &value.valueUnstructured{Value:1}'],
  ])('%j is no configuration to apply, in the words of typed values', (spec, message) =>
    expect(decode(pod(spec), POD, { applied: true })).toMatchObject({ errors: [], untyped: [message] }),
  );

  test.each<[string, JsonObject]>([
    ['policy.v1.PodDisruptionBudget', { status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }, spec: {} }],
    ['networking.v1.NetworkPolicy', { spec: { podSelector: {} } }],
    ['rbac.v1.RoleBinding', { roleRef: { apiGroup: '', kind: '', name: '' } }],
    ['discovery.v1.EndpointSlice', { addressType: '', endpoints: null, ports: null }],
    ['core.v1.Namespace', { spec: {}, status: {} }],
    ['storage.v1.VolumeAttachment', { spec: { attacher: '', source: {}, nodeName: '' }, status: { attached: false } }],
  ])('%s: what its Go type always writes', (type, written) => {
    const object: JsonObject = {};
    decode(object, `io.k8s.api.${type}`);
    expect(object).toEqual({ metadata: {}, ...written });
  });

  test('unknown fields are named by path and dropped', () => {
    const object = pod({ containers: [{ name: 'c', imagee: 'x' }], foo: 1 });
    expect(decode(object, POD).unknown).toEqual(['unknown field "spec.containers[0].imagee"', 'unknown field "spec.foo"']);
    expect(object.spec).not.toHaveProperty('foo');
  });

  test.each([
    [{ terminationGracePeriodSeconds: 'x' }, 'json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64'],
    [{ containers: {} }, 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container'],
    [{ hostNetwork: 'yes' }, 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'],
    [{ priority: 1.5 }, 'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32'],
    [{ nodeSelector: { a: 1 } }, 'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector of type string'],
    [
      { volumes: [{ emptyDir: { medium: 1 } }] },
      'json: cannot unmarshal number into Go struct field EmptyDirVolumeSource.spec.volumes.emptyDir.medium of type string',
    ],
    [
      { containers: [{ name: 'c', livenessProbe: { httpGet: { port: true } } }] },
      'json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32',
    ],
    [{ containers: [{ resources: { limits: { cpu: '1x' } } }] }, QUANTITY],
    [{ containers: [{ resources: { limits: { cpu: {} } } }] }, QUANTITY],
  ])('%j is refused', (spec, message) => expect(decode(pod(spec), POD).errors).toEqual([message]));

  test('bad base64 is refused', () => {
    expect(decode({ data: { a: 'b*==' } }, 'io.k8s.api.core.v1.Secret').errors).toEqual(['illegal base64 data at input byte 1']);
  });

  test.each([
    ['noon', ' as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"'],
    ['2024-05-01 10:00:00Z', ' as "2006-01-02T15:04:05Z07:00": cannot parse " 10:00:00Z" as "T"'],
    ['2024-13-01T10:00:00Z', ': month out of range'],
    ['2024-02-30T10:00:00Z', ': day out of range'],
    ['2024-05-01T10:00:00', ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'],
    ['2024-05-01T10:00:00Zz', ': extra text: "z"'],
  ])('%s is no time', (creationTimestamp, problem) =>
    expect(decode({ metadata: { creationTimestamp } }, POD).errors).toEqual([`parsing time ${JSON.stringify(creationTimestamp)}${problem}`]),
  );

  test('a time of another type is no string', () =>
    expect(decode({ metadata: { creationTimestamp: 5 } }, POD).errors).toEqual([
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ]));

  test('micro times have six digits, in UTC when written', () => {
    const read = (renewTime: string) => {
      const lease: JsonObject = { spec: { renewTime } };
      return decode(lease, 'io.k8s.api.coordination.v1.Lease').errors[0] ?? (lease.spec as JsonObject).renewTime;
    };
    expect(read('2024-05-01T10:00:00.120000+02:00')).toBe('2024-05-01T08:00:00.120000Z');
    expect(read('2024-05-01T10:00:00Z')).toBe('parsing time "2024-05-01T10:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"');
  });
});

test('duplicate keys are found with their path', () => {
  expect(duplicateFields('{"a":{"b":[{"c":1,"c":2},{"c":"{\\"x\\""}]},"d":1,"d":2}')).toEqual(['duplicate field "a.b[0].c"', 'duplicate field "d"']);
});
