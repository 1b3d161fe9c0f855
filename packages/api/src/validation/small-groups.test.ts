import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { admit, update } from '../testing/admit.js';

const of = (apiVersion: string, kind: string, body: object, name = 'x'): object => ({ apiVersion, kind, metadata: { name }, ...body });
const storage = (kind: string, body: object, name?: string) => of('storage.k8s.io/v1', kind, body, name);
const networking = (kind: string, body: object, name?: string) => of('networking.k8s.io/v1', kind, body, name);
const level = (spec: object, name?: string) => of('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', { spec }, name);
const queuing = (more: object) => level({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: more } } });
const schema = (rule: object) =>
  of('flowcontrol.apiserver.k8s.io/v1', 'FlowSchema', {
    spec: {
      priorityLevelConfiguration: { name: 'l' },
      rules: [{ subjects: [{ kind: 'User', user: { name: 'u' } }], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x/*'] }], ...rule }],
    },
  });
const attachment = (spec: object) =>
  storage('VolumeAttachment', { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' }, ...spec } });
const parentRef = (more: object) => networking('IPAddress', { spec: { parentRef: { resource: 'services', name: 's', ...more } } }, '10.0.0.1');

const CASES: readonly (readonly [object: object, ...errors: string[]])[] = [
  [storage('StorageClass', { provisioner: 'p', parameters: { '': 'x' } }), 'parameters: Invalid value: "": field can not be empty.'],
  [storage('StorageClass', { provisioner: 'p', parameters: { a: 'x'.repeat(256 * 1024) } }), 'parameters: Too long: may not be more than 262144 bytes'],
  [
    storage('CSIDriver', { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 2 ** 32 + 1 }] } }, 'd'),
    'spec.tokenRequests[0].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
  ],
  [
    storage('CSINode', { spec: { drivers: [{ name: 'd', nodeID: 'n'.repeat(193), topologyKeys: ['a', 'a'] }] } }),
    `spec.drivers[0].nodeID: Invalid value: "${'n'.repeat(193)}": must be 192 characters or less`,
    'spec.drivers[0]: Duplicate value: "a"',
  ],
  [attachment({ source: {} }), 'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  [
    attachment({ source: { persistentVolumeName: '' } }),
    'spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName',
    expect.stringContaining('spec.source.persistentVolumeName: Invalid value: "": a lowercase RFC 1123 subdomain'),
  ],
  [storage('VolumeAttributesClass', { driverName: 'd' }), 'parameters: Required value: must contain at least one key/value pair'],
  [
    networking('ServiceCIDR', { spec: { cidrs: ['10.0.0.1/24'] } }),
    'spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length',
  ],
  [
    networking('ServiceCIDR', { spec: { cidrs: ['2001:DB8::/64'] } }),
    'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")',
  ],
  [
    networking('ServiceCIDR', { spec: { cidrs: ['10.0.0.0/24', '10.1.0.0/24'] } }),
    'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
  ],
  [
    parentRef({ resource: 'a/b', namespace: '..' }),
    'spec.parentRef.resource: Invalid value: "a/b": may not contain \'/\'',
    'spec.parentRef.namespace: Invalid value: "..": may not be \'..\'',
  ],
  [
    networking('IPAddress', { spec: { parentRef: { resource: 'services', name: 's' } } }, '2001:DB8::1'),
    'metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
  ],
  [level({ type: 'Exempt' }), "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
  [
    level({ type: 'Exempt' }, 'catch-all'),
    "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
    'spec: Invalid value: {"type":"Exempt","exempt":{"nominalConcurrencyShares":0,"lendablePercent":0}}: spec of \'catch-all\' must equal the fixed value',
  ],
  [
    level({ type: 'Exempt', exempt: { nominalConcurrencyShares: -1, lendablePercent: 101 } }, 'exempt'),
    'spec.exempt.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
    'spec.exempt.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
  ],
  [
    schema({ subjects: [{ kind: 'Group', user: { name: 'u' }, serviceAccount: {} }] }),
    "spec.rules[0].subjects[0].group: Required value: group is required when subject kind is 'Group'",
    "spec.rules[0].subjects[0].serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not 'ServiceAccount'",
    "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
  ],
  [
    schema({ nonResourceRules: [{ verbs: ['bind'], nonResourceURLs: ['/'] }] }),
    'spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["bind"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
  ],
  [level({ type: 'Some' }), 'spec.type: Unsupported value: "Some": supported values: "Exempt", "Limited"'],
  [level({ type: 'Limited', limited: { limitResponse: {} } }), 'spec.limited.limitResponse.type: Unsupported value: "": supported values: "Queue", "Reject"'],
  [queuing({ queues: 2, handSize: 3 }), 'spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)'],
  [
    queuing({ queues: 512, handSize: 8 }),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60',
  ],
  [
    schema({ subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: '' } }, { kind: 'Robot' }] }),
    'spec.rules[0].subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account',
    'spec.rules[0].subjects[1].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
  ],
  [
    schema({ nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['x', '/a//b', '/a*', '*'] }] }),
    'spec.rules[0].nonResourceRules[0].nonResourceURLs: Invalid value: ["x","/a//b","/a*","*"]: if \'*\' is present, must not specify other non-resource URLs',
  ],
  [
    schema({ nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['x', '/a//b', '/a*'] }] }),
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not contain double slash',
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*": wildcard can only do suffix matching',
  ],
];

describe('what is wrong with objects of small groups', () => {
  test.each(CASES.map(([object, ...errors]) => ({ object, errors })))('$errors', ({ object, errors }) => expect(admit(object).errors).toEqual(errors));
});

test('a service CIDR may get the other family, and nothing else', () => {
  const { object } = admit(networking('ServiceCIDR', { spec: { cidrs: ['10.0.0.0/24'] } }));
  const to = (stored: KubeObject, ...cidrs: string[]) => update(stored, (each) => void (each.spec = { cidrs })).errors;
  expect(to(object, '10.0.0.0/24', '2001:db8::/64')).toEqual([]);
  expect(to(object, '10.1.0.0/24')).toEqual(['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']);
  expect(to({ ...object, spec: { cidrs: ['10.0.0.0/24', '2001:db8::/64'] } }, '10.0.0.0/24')).toEqual([
    'spec.cidrs: Invalid value: ["10.0.0.0/24"]: field is immutable',
  ]);
});

test('how a CSI driver mounts may change, how it attaches may not', () => {
  const { object } = admit(storage('CSIDriver', { spec: {} }, 'd'));
  expect(update(object, (each) => void (each.spec.fsGroupPolicy = 'File')).errors).toEqual([]);
  expect(update(object, (each) => void (each.spec.attachRequired = false)).errors).toEqual(['spec.attachedRequired: Invalid value: false: field is immutable']);
});

test('the fixed flows stay as they are', () => {
  const flow = 'flowcontrol.apiserver.k8s.io/v1';
  const rules = [
    {
      subjects: [{ kind: 'Group', group: { name: 'system:masters' } }],
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    },
  ];
  const spec = { priorityLevelConfiguration: { name: 'exempt' }, matchingPrecedence: 1, rules };
  const { object, errors } = admit(of(flow, 'FlowSchema', { spec }, 'exempt'));
  expect(errors).toEqual([]);
  expect(admit(of(flow, 'FlowSchema', { spec: { ...spec, rules: [] } }, 'exempt')).errors).toEqual([
    'spec: Invalid value: {"priorityLevelConfiguration":{"name":"exempt"},"matchingPrecedence":1}: spec of \'exempt\' must equal the fixed value',
  ]);
  expect(update(object, (each) => void (each.spec.matchingPrecedence = 2)).errors).toEqual([
    expect.stringMatching(/^spec: Invalid value: .*: spec of a fixed object may not be updated$/),
  ]);
  expect(admit(level({ type: 'Exempt', exempt: { nominalConcurrencyShares: 5 } }, 'exempt')).errors).toEqual([]);
});
