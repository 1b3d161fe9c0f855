import { describe, expect, test } from 'vitest';
import { admit, update } from '../testing/admit.js';

const of = (kind: string, body: object): object => ({ apiVersion: 'storage.k8s.io/v1', kind, metadata: { name: 'x' }, ...body });
const driver = (spec: object): object => of('CSIDriver', { spec });
const attachment = (source: object): object => of('VolumeAttachment', { spec: { attacher: 'a', nodeName: 'n', source } });
const topology = (key: string, ...values: string[]) => ({ matchLabelExpressions: [{ key, values }] });
const csi = { driver: 'd', volumeHandle: 'h' };

describe('what is wrong with new objects', () => {
  test.each<[object, ...string[]]>([
    [of('StorageClass', { provisioner: 'A b' }), expect.stringContaining('provisioner: Invalid value: "a b": name part must consist of')],
    [
      of('StorageClass', { provisioner: 'a', allowedTopologies: [topology('a', 'x', 'y'), topology('a', 'y', 'x')] }),
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
    ],
    [
      driver({ nodeAllocatableUpdatePeriodSeconds: 5 }),
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 5: must be greater than or equal to 10 seconds',
    ],
    [
      driver({ serviceAccountTokenInSecrets: true }),
      'spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    ],
    [driver({ volumeLifecycleModes: ['X'] }), 'spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"'],
    [
      attachment({ inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], csi, storageClassName: 'c', capacity: { storage: '1' } } }),
      'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline volumes',
    ],
    [of('VolumeAttributesClass', { driverName: 'd' }), 'parameters: Required value: must contain at least one key/value pair'],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors));
});

test.each<[object, object, ...string[]]>([
  [of('StorageClass', { provisioner: 'a' }), { provisioner: 'b' }, 'provisioner: Invalid value: "b": field is immutable'],
  [
    of('VolumeAttributesClass', { driverName: 'd', parameters: { a: 'b' } }),
    { driverName: 'e' },
    'driverName: Forbidden: updates to driverName are forbidden.',
  ],
])('what may not change %#', (object, change, ...errors) => {
  expect(update(admit(object).object, (it) => void Object.assign(it, change)).errors).toEqual(errors);
});

test('labels of nodes that have a newer name are warned of', () => {
  expect(admit(of('StorageClass', { provisioner: 'a', allowedTopologies: [topology('beta.kubernetes.io/os', 'x')] })).warnings).toEqual([
    'allowedTopologies[0].matchLabelExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
});

test('amounts by names that every object has are refused as others are', () => {
  const limits = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'x' }, spec: { limits: [{ type: 'Container', max: { constructor: '1' } }] } };
  expect(admit(limits).errors).toContain('spec.limits[0].max[constructor]: Invalid value: "constructor": must be a standard resource for containers');
});
