import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { admit, update, updateStatus } from '../testing/admit.js';

const of = (apiVersion: string, kind: string, body: object, name = 'x'): object => ({ apiVersion, kind, metadata: { name }, ...body });
const hpa = (spec: object) =>
  of('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...spec },
  });
const metric = (body: object) => hpa({ metrics: [body] });
const slice = (body: object) => of('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [], ports: [], ...body });
const priority = (name: string, body: object = {}) => of('scheduling.k8s.io/v1', 'PriorityClass', { value: 1, ...body }, name);
const runtime = (body: object) => of('node.k8s.io/v1', 'RuntimeClass', { handler: 'h', ...body });
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
const binding = (kind: string, body: object) => of('rbac.authorization.k8s.io/v1', kind, { roleRef: role, ...body });
const service = (spec: object, name = 'v1.a.example.com') =>
  of(
    'apiregistration.k8s.io/v1',
    'APIService',
    { spec: { group: 'a.example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...spec } },
    name,
  );
const PEM = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nx\n-----END CERTIFICATE REQUEST-----\n').toString('base64');
const csr = (spec: object = {}) =>
  of('certificates.k8s.io/v1', 'CertificateSigningRequest', { spec: { request: PEM, signerName: 'example.com/s', usages: ['client auth'], ...spec } });

const CASES: readonly (readonly [object: object, ...errors: string[]])[] = [
  [
    hpa({ minReplicas: 0 }),
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    'spec.metrics: Forbidden: must specify at least one Object or External metric',
  ],
  [hpa({ scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'r' } })],
  [
    hpa({ scaleTargetRef: { apiVersion: 'v1', kind: 'Pod', name: 'r' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ],
  [hpa({ behavior: { scaleUp: { tolerance: '-1' } } }), 'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0'],
  [
    metric({ type: 'Some' }),
    'spec.metrics[0].type: Unsupported value: "Some": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
  ],
  [metric({ type: 'Pods' }), 'spec.metrics[0].pods: Required value: must populate information for the given metric source'],
  [
    metric({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } }),
    'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
  ],
  [
    metric({ type: 'External', external: { metric: { name: 'a/b' }, target: { type: 'Many', value: '1', averageValue: '0' } } }),
    'spec.metrics[0].external.metric.name: Invalid value: "a/b": may not contain \'/\'',
    'spec.metrics[0].external.target.type: Invalid value: "Many": must be either Utilization, Value, or AverageValue',
    'spec.metrics[0].external.target.averageValue: Invalid value: "0": must be positive',
    'spec.metrics[0].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
  ],
  [
    metric({ type: 'Object', object: { describedObject: { kind: 'S', name: '' }, metric: { name: 'm' }, target: { type: 'Value', value: '1' } } }),
    'spec.metrics[0].object.describedObject.name: Required value',
  ],
  [
    metric({ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'A', target: { type: 'Utilization', averageUtilization: 1 } } }),
    'spec.metrics[0].containerResource.container: Invalid value: "A": a lowercase RFC 1123 label',
  ],
  [slice({ addressType: '' }), 'addressType: Required value'],
  [slice({ endpoints: [{ addresses: ['2001:db8::1'] }] }), 'endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be an IPv4 address'],
  [
    slice({ endpoints: [{ addresses: ['10.0.0.1'], hostname: '', hints: { forNodes: [{ name: 'a' }, { name: 'a' }, { name: 'B' }] } }] }),
    'endpoints[0].hostname: Invalid value: "": a lowercase RFC 1123 label',
    'endpoints[0].hints.forNodes[1].name: Duplicate value: "a"',
    'endpoints[0].hints.forNodes[2].name: Invalid value: "B": a lowercase RFC 1123 subdomain',
  ],
  [
    priority('system-a'),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-a is not a known",
  ],
  [
    priority('system-node-critical'),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
  ],
  [priority('a', { preemptionPolicy: 'No' }), 'preemptionPolicy: Unsupported value: "No": supported values: "PreemptLowerPriority", "Never"'],
  [runtime({ overhead: { podFixed: { cpu: '-1' } } }), 'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  [
    runtime({
      scheduling: {
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'a', operator: 'Exists' },
        ],
      },
    }),
    'scheduling.tolerations[1]: Duplicate value: {',
  ],
  [binding('RoleBinding', { subjects: [{ kind: 'ServiceAccount', name: 's' }] })],
  [binding('ClusterRoleBinding', { subjects: [{ kind: 'ServiceAccount', name: 's' }] }), 'subjects[0].namespace: Required value'],
  [
    binding('RoleBinding', { subjects: [{ kind: 'Robot', name: 's' }] }),
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ],
  [service({ group: '', version: 'v2' }, 'v2.'), 'spec.group: Required value: only v1 may have an empty group and it better be legacy kube'],
  [service({ caBundle: 'YWI=' }), 'spec.caBundle: Invalid value: "2 bytes": local APIServices may not have a caBundle'],
  [
    service({ service: { name: 's', namespace: 'n', port: 70000 } }),
    'spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
  ],
  [csr({ usages: ['', 'client auth', 'client auth'] }), 'spec.usages[0]: Unsupported value: ""', 'spec.usages[2]: Duplicate value: "client auth"'],
  [
    csr({ signerName: 'kubernetes.io/legacy-unknown' }),
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ],
  [
    csr({ signerName: 'A/b' }),
    'spec.signerName: Invalid value: "A": validating label "A": ',
    'spec.signerName: Invalid value: "A": should be a domain with at least two segments separated by dots',
  ],
];

describe('what is wrong with new objects', () => {
  test.each(CASES.map(([object, ...errors]) => ({ object, errors })))('$errors', ({ object, errors }) =>
    expect(admit(object).errors).toEqual(errors.map((error) => expect.stringContaining(error))),
  );
});

test('an autoscaler that may scale to nothing keeps that', () => {
  const { object } = admit(hpa({}));
  const external = { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1' } } };
  const old = { ...object, spec: { ...object.spec, minReplicas: 0, metrics: [external], scaleTargetRef: { kind: 'Some', name: 's' } } } as KubeObject;
  expect(update(old, (each) => void (each.spec.maxReplicas = 5)).errors).toEqual([]);
  expect(update(old, (each) => void (each.spec.scaleTargetRef.kind = 'Other')).errors).toHaveLength(1);
});

test('statuses', () => {
  const time = '2026-01-01T00:00:00Z';
  const status = (object: object, value: object) => updateStatus(admit(object).object, (each) => void (each.status = value)).errors;
  expect(status(hpa({}), { currentReplicas: -1, desiredReplicas: 1 })).toEqual([
    'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
  ]);
  const condition = { type: 'A', status: 'Maybe', lastTransitionTime: time, reason: '1', message: '' };
  expect(
    status(of('policy/v1', 'PodDisruptionBudget', { spec: {} }), { expectedPods: -1, conditions: [condition, { ...condition, reason: 'R', status: 'True' }] }),
  ).toEqual([
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    expect.stringContaining('status.conditions[0].reason: Invalid value: "1": a condition reason must start with alphabetic character'),
    'status.conditions[1].type: Duplicate value: "A"',
    'status.expectedPods: Invalid value: -1: must be greater than or equal to 0',
  ]);
  expect(status(service({}), { conditions: [{ type: 'Available', status: 'Maybe' }] })).toEqual([
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
  ]);
});

describe('the status of a certificate signing request', () => {
  const { object } = admit(csr());
  const approved = { type: 'Approved', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const stored = { ...object, status: { conditions: [approved] } } as KubeObject;
  test.each<[string, KubeObject, object, ...string[]]>([
    [
      'keeps a decision',
      stored,
      {
        conditions: [
          { ...approved, message: 'other' },
          { type: 'Failed', status: 'True' },
        ],
      },
    ],
    ['decides nothing', object, { conditions: [approved] }, 'status.conditions: Forbidden: updates may not add a condition of type "Approved"'],
    ['takes nothing back', stored, {}, 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'],
    [
      'holds a certificate',
      stored,
      { conditions: [approved], certificate: Buffer.from('x').toString('base64') },
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ],
    [
      'knows three statuses',
      object,
      {
        conditions: [
          { type: 'A', status: '' },
          { type: 'B', status: 'x' },
        ],
      },
      'status.conditions[0].status: Required value',
      'status.conditions[1].status: Unsupported value: "x": supported values: "False", "True", "Unknown"',
    ],
  ])('%s', (_what, before, status, ...errors) => expect(updateStatus(before, (each) => void (each.status = status)).errors).toEqual(errors));
});

test('a class counts no generations, and what an old one has is not looked at', () => {
  const { object } = admit(priority('a'));
  const after = update({ ...object, value: 2_000_000_000 }, (each) => void (each.description = 'd'));
  expect(after.errors).toEqual([]);
  expect(after.object.metadata.generation).toBe(1);
});

test('slices are warned of', () => {
  expect(admit(slice({ addressType: 'FQDN' })).warnings).toEqual(['spec.addressType: FQDN endpoints are deprecated']);
  expect(admit(slice({ addressType: 'IPv6', endpoints: [{ addresses: ['2001:DB8::1'] }] })).warnings).toEqual([
    'endpoints[0].addresses[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
});

test('EndpointSlices take any port number', () => {
  for (const port of [-1, 0, 70_000]) expect(admit(slice({ ports: [{ name: 'p', port }] })).errors).toEqual([]);
});
