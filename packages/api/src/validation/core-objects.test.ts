import { describe, expect, test } from 'vitest';
import { admit, update } from '../testing/admit.js';

const core = (kind: string, body: object = {}, metadata: object = {}): object => ({ apiVersion: 'v1', kind, metadata: { name: 'x', ...metadata }, ...body });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const limits = (type: string, item: object): object => core('LimitRange', { spec: { limits: [{ type, ...item }] } });
const REDACTED = 'Invalid value: "<secret contents redacted>"';

describe('what is wrong with new objects', () => {
  test.each<[object, ...string[]]>([
    [
      core('ConfigMap', { data: { 'a b': '' } }),
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
    [core('ConfigMap', { data: { a: 'x' }, binaryData: { a: '' } }), 'data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    [
      core('ConfigMap', {}, { finalizers: ['mine'] }),
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [core('ConfigMap', {}, { finalizers: ['orphan', 'a.example.com/mine'] })],
    [
      core('Secret', { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('x') } }),
      `data[.dockercfg]: ${REDACTED}: invalid character 'x' looking for beginning of value`,
    ],
    [
      core('Secret', { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('[]') } }),
      `data[.dockerconfigjson]: ${REDACTED}: json: cannot unmarshal array into Go value of type map[string]interface {}`,
    ],
    [
      core('Namespace', { spec: { finalizers: ['mine'] } }),
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      core('Node', { spec: { taints: [{ key: 'a', effect: 'X' }] } }),
      'metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
    [
      core('Node', {
        spec: {
          taints: [
            { key: 'a', effect: 'NoExecute' },
            { key: 'a', value: 'b', effect: 'NoExecute' },
          ],
        },
      }),
      'metadata.taints[1]: Duplicate value: {"key":"a","value":"b","effect":"NoExecute"}: taints must be unique by key and effect pair',
    ],
    [
      core('Node', { status: { capacity: { cpu: '-1', 'a.b/c': '500m' }, allocatable: {} } }),
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.capacity.a.b/c: Invalid value: "500m": must be an integer',
      'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatable.a.b/c: Invalid value: "500m": must be an integer',
    ],
    [
      core('Node', { status: { declaredFeatures: ['B', 'A', 'a'] } }),
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
      expect.stringContaining('status.declaredFeatures[2]: Invalid value: "a": invalid feature name "a": must start with an UpperCamelCase segment'),
    ],
    [
      core('ResourceQuota', { spec: { hard: { disks: '1' } } }),
      'spec.hard[disks]: Invalid value: "disks": must be a standard resource type or fully qualified',
      'spec.hard[disks]: Invalid value: "disks": must be a standard resource for quota',
    ],
    [core('ResourceQuota', { spec: { hard: { storage: '1' } } }), 'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    [core('ResourceQuota', { spec: { hard: { pods: '1500m' } } }), 'spec.hard[pods]: Invalid value: "1500m": must be an integer'],
    [
      limits('Pod', { max: { disk: '1' } }),
      'spec.limits[0].max[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
      'spec.limits[0].max[disk]: Invalid value: "disk": must be a standard resource for containers',
    ],
    [
      limits('Container', { max: { cpu: '1' }, default: { cpu: '2' }, defaultRequest: { cpu: '1' } }),
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
    ],
    [
      limits('PersistentVolumeClaim', {}),
      'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
    [
      { ...core('Endpoints'), subsets: [{ addresses: [{ ip: 'x', nodeName: 'A' }], ports: [{ port: 80, appProtocol: 'a b' }] }] },
      'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      expect.stringContaining('subsets[0].addresses[0].nodeName: Invalid value: "A": a lowercase RFC 1123 subdomain'),
      'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
      expect.stringContaining('subsets[0].ports[0].appProtocol: Invalid value: "a b"'),
    ],
  ])('%#', (object, ...errors) => expect(admit(object).errors).toEqual(errors));
});

test('what somebody stored wrong may stay, unless it is changed', () => {
  const { object } = admit({ ...core('Endpoints'), subsets: [{ addresses: [{ ip: '1.2.3.4' }] }] });
  object.subsets[0].addresses[0].ip = '127.0.0.1';
  expect(update(object, ({ metadata }) => void (metadata.labels = { a: 'b' })).errors).toEqual([]);
  expect(update(object, (it) => void (it.subsets[0].addresses[0].hostname = 'h')).errors).toHaveLength(1);
});

describe('persistent volumes', () => {
  const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
  const volume = (more: object, annotations?: object): object =>
    core('PersistentVolume', { spec: { ...spec, ...more } }, { ...(annotations && { annotations }) });
  const csi = { driver: 'd', volumeHandle: 'h' };
  const affinity = (key: string) => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } });

  test.each<[object, ...string[]]>([
    [{}, 'spec: Required value: must specify a volume type'],
    [
      { local: { path: '/a/..' } },
      'spec.local.path: Invalid value: "/a/..": must not contain \'..\'',
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ],
    [{ csi: { ...csi, nodePublishSecretRef: { name: 's' } } }, 'spec.csi.nodePublishSecretRef.namespace: Required value'],
    [
      { hostPath: { path: '//.' }, persistentVolumeReclaimPolicy: 'Recycle' },
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
    [{ csi, cephfs: { monitors: ['m'] } }, 'spec.csi: Forbidden: may not specify more than 1 volume type'],
    [
      { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } },
      'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
    ],
  ])('%#', (more, ...errors) => expect(admit(volume(more)).errors).toEqual(errors));

  test.each<[object, object, ...string[]]>([
    [{ csi }, { csi: { ...csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } } }],
    [{ csi }, { csi: { ...csi, volumeHandle: 'i' } }, 'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n'],
    [{ csi, nodeAffinity: affinity('beta.kubernetes.io/os') }, { nodeAffinity: affinity('kubernetes.io/os') }],
    [
      { csi, nodeAffinity: affinity('a') },
      { nodeAffinity: affinity('b') },
      expect.stringMatching(/^nodeAffinity: Invalid value: .*: field is immutable, except for updating from beta label to GA$/),
    ],
    [
      { csi, volumeAttributesClassName: 'a' },
      { volumeAttributesClassName: undefined },
      'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
    ],
  ])('that change %#', (more, change, ...errors) => {
    const { object } = admit(volume(more));
    expect(update(object, (it) => void Object.assign(it.spec, change)).errors).toEqual(errors);
  });

  test('are warned of', () => {
    expect(
      admit(volume({ hostPath: { path: '/a' }, persistentVolumeReclaimPolicy: 'Recycle' }, { 'volume.beta.kubernetes.io/storage-class': 'a' })).warnings,
    ).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    ]);
  });
});

describe('claims', () => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } };
  const claim = (more: object = {}): object => core('PersistentVolumeClaim', { spec: { ...spec, ...more } });
  const FIXED = 'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';
  const bound = { phase: 'Bound', capacity: { storage: '1Gi' }, currentVolumeAttributesClassName: 'a' };

  test.each<[object, ...string[]]>([
    [
      { dataSource: { kind: 'PersistentVolumeClaim', name: 'a' }, dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' } },
      'spec: Invalid value: "spec.dataSource": must match dataSourceRef',
    ],
    [
      { dataSourceRef: { apiGroup: 'A', kind: 'K', name: 'b' } },
      expect.stringContaining('spec.dataSource.apiGroup: Invalid value: "A"'),
      expect.stringContaining('spec.dataSourceRef.apiGroup: Invalid value: "A"'),
    ],
    [{ accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] }, 'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
  ])('%#', (more, ...errors) => expect(admit(claim(more)).errors).toEqual(errors));

  test.each<[object, object, object, ...string[]]>([
    [{}, {}, { volumeName: 'v' }],
    [{}, {}, { storageClassName: 'c' }],
    [{ storageClassName: 'b' }, {}, { storageClassName: 'c' }, FIXED],
    [{}, {}, { resources: { requests: { storage: '3Gi' } } }, FIXED],
    [{}, bound, { resources: { requests: { storage: '3Gi' } } }],
    [{}, bound, { resources: { requests: { storage: '1Gi' } } }, 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
    [{ volumeAttributesClassName: 'a' }, bound, { volumeAttributesClassName: 'b' }],
    [
      { volumeAttributesClassName: 'a' },
      bound,
      { volumeAttributesClassName: '' },
      'spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil',
    ],
  ])('that change %#', (more, status, change, ...errors) => {
    const stored = { ...admit(claim(more)).object, status };
    expect(update(stored, (it) => void Object.assign(it.spec, change)).errors).toEqual(errors);
  });
});
