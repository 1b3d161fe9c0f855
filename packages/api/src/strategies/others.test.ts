import { describe, expect, test } from 'vitest';
import { admit, update, updateStatus } from '../testing/admit.js';

describe('services', () => {
  const service = (spec: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });

  test('defaults', () => {
    const { object, errors } = admit(service({ type: 'NodePort', ports: [{ port: 80 }] }));
    expect(errors).toEqual([]);
    expect(object.spec).toMatchObject({
      type: 'NodePort',
      sessionAffinity: 'None',
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    });
  });

  test.each([
    [{ ports: [] }, 'spec.ports: Required value'],
    [{ ports: [{ port: 80 }, { port: 81 }] }, 'spec.ports[0].name: Required value'],
    [{ ports: [{ port: 70000 }] }, 'spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    [{ ports: [{ port: 80, nodePort: 30000 }] }, "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    [{ type: 'X', ports: [{ port: 80 }] }, 'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
  ])('%j is refused', (spec, message) => expect(admit(service(spec)).errors).toContain(message));

  test('an update keeps what was allocated', () => {
    const { object } = admit(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }));
    const { object: after, errors } = update(object, (it) => {
      it.spec = { type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] };
    });
    expect(errors).toEqual([]);
    expect(after.spec).toMatchObject({ clusterIP: '10.0.0.1', ports: [{ nodePort: 30080, targetPort: 8080 }] });
    const down = update(object, (it) => {
      it.spec.type = 'ClusterIP';
    });
    expect(down.errors).toEqual([]);
    expect(down.object.spec.ports[0]).not.toHaveProperty('nodePort');
    const other = update(object, (it) => void (it.spec.clusterIP = '10.0.0.2'));
    expect(other.errors).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']);
  });
});

test('stringData goes into data', () => {
  const { object } = admit({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'x' } });
  expect(object).toMatchObject({ type: 'Opaque', data: { a: 'eA==' } });
  expect(object).not.toHaveProperty('stringData');
});

test('an immutable config map stays', () => {
  const { object } = admit({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, immutable: true, data: { a: '1' } });
  expect(update(object, (it) => void (it.data.a = '2')).errors).toEqual(['data: Forbidden: field is immutable when `immutable` is set']);
});

test('a namespace gets its label and finalizer', () => {
  const { object, errors } = admit({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
  expect(errors).toEqual([]);
  expect(object).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
});

test('roles and bindings', () => {
  expect(admit({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'system:x' }, rules: [{ verbs: [] }] }).errors).toEqual([
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ]);
  const { object, errors } = admit({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'b' },
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'u' }],
  });
  expect(errors).toEqual([]);
  expect(update(object, (it) => void (it.roleRef.name = 'x')).errors[0]).toContain('cannot change roleRef');
});

test('ingresses, network policies and autoscalers', () => {
  expect(admit({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'i' } }).errors).toContain(
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  );
  const policy = admit({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p' }, spec: { egress: [{}] } });
  expect(policy.errors).toEqual([]);
  expect(policy.object.spec.policyTypes).toEqual(['Ingress', 'Egress']);
  const outside = admit({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p' },
    spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }] },
  });
  expect(outside.errors).toEqual(['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`']);
  const hpa = admit({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } },
  });
  expect(hpa.errors).toEqual([]);
  expect(hpa.object.spec).toMatchObject({ minReplicas: 1, metrics: [{ resource: { name: 'cpu' } }] });
});

test.each([
  [{ nodeAffinity: {} }, 'spec.nodeAffinity.required: Required value: must specify required node constraints'],
  [{ volumeAttributesClassName: 'gold' }, 'spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
  [
    { hostPath: undefined, csi: { driver: 'd', volumeHandle: 'h' }, volumeAttributesClassName: '' },
    'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
  ],
])('a persistent volume with %j', (more, error) => {
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/v' }, ...more };
  expect(admit({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'v' }, spec }).errors).toEqual([error]);
});

test.each([
  ['10.1.0.0/16', []],
  ['fd00::/64', []],
  ['10.1.0.1/16', ['spec.cidrs[0]: Invalid value: "10.1.0.1/16": must not have bits set beyond the prefix length']],
  ['fd00::1:0/120', []],
  ['fd00::1/120', ['spec.cidrs[0]: Invalid value: "fd00::1/120": must not have bits set beyond the prefix length']],
  ['FD00:0::/64', ['spec.cidrs[0]: Invalid value: "FD00:0::/64": must be in canonical form ("fd00::/64")']],
  ['10.1', ['spec.cidrs[0]: Invalid value: "10.1": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
])('a range for services of %s', (cidr, errors) => {
  expect(admit({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'r' }, spec: { cidrs: [cidr] } }).errors).toEqual(errors);
});

test.each([
  ['FQDN', { addresses: ['web.example.com.'] }, []],
  ['FQDN', { addresses: ['web'] }, ['endpoints[0].addresses[0]: Invalid value: "web": should be a domain with at least two segments separated by dots']],
  [
    'IPv4',
    { addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a b' }] } },
    [expect.stringContaining('endpoints[0].hints.forZones[0].name: Invalid value: "a b": a valid label must be')],
  ],
])('an endpoint slice of %s with %j', (addressType, endpoint, errors) => {
  const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 's' }, addressType, endpoints: [endpoint] };
  expect(admit(slice).errors).toEqual(errors);
});

test('a certificate request says who asked', () => {
  const request = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\n').toString('base64');
  const { object, errors } = admit({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'c' },
    spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], username: 'root' },
  });
  expect(errors).toEqual([]);
  expect(object.spec).toMatchObject({ username: 'ann', groups: ['dev'] });
  const legacy = { ...object, spec: { request, signerName: 'kubernetes.io/legacy-unknown', usages: ['client auth'] } };
  expect(admit(legacy).errors).toEqual([
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ]);
});

test('a CRD needs a structural schema and its own name', () => {
  const { errors } = admit({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } } }],
    },
  });
  expect(errors).toEqual(['spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields']);
});

test('reviews need no name', () => {
  expect(
    admit({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { uid: undefined },
      spec: { user: 'u', resourceAttributes: { verb: 'get', resource: 'pods' } },
    }).errors,
  ).toEqual([]);
});

describe('quotas', () => {
  const quota = (spec: object): object => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec });
  test.each([
    [{ hard: { configmaps: '1' }, scopes: ['BestEffort'] }, 'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    [{ hard: { pods: '1500m' } }, 'spec.hard[pods]: Invalid value: "1500m": must be an integer'],
    [
      { hard: { pods: '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'Terminating', operator: 'In', values: ['x'] }] } },
      `spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
    ],
  ])('%j is refused', (spec, message) => expect(admit(quota(spec)).errors).toContain(message));

  test.each([
    { hard: { pods: '1', 'requests.cpu': '1500m', 'limits.memory': '1Gi' }, scopes: ['NotBestEffort'] },
    { hard: { pods: '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
    { hard: { 'count/jobs.batch': '1', 'requests.storage': '500m' } },
  ])('%j is allowed', (spec) => expect(admit(quota(spec)).errors).toEqual([]));
});

test('the first of the addresses of pods and nodes stands in the older field too, which counts where they differ', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const ips = (status: object) => {
    const { object } = updateStatus(admit(pod).object, (it) => void Object.assign(it.status as object, status));
    return [object.status?.podIP, object.status?.podIPs];
  };
  expect(ips({ podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] })).toEqual(['10.0.0.1', [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }]]);
  expect(ips({ podIP: '10.0.0.1' })).toEqual(['10.0.0.1', [{ ip: '10.0.0.1' }]]);
  expect(ips({ podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.1' }] })).toEqual(['10.0.0.2', [{ ip: '10.0.0.2' }]]);
  expect(ips({})).toEqual([undefined, undefined]);
  const node = (spec: object) => admit({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec }).object.spec;
  expect(node({ podCIDR: '10.1.0.0/24' })).toMatchObject({ podCIDRs: ['10.1.0.0/24'] });
  expect(node({ podCIDRs: ['10.1.0.0/24'] })).toMatchObject({ podCIDR: '10.1.0.0/24' });
});

test('annotations of a Deployment and labels of an EndpointSlice count as changes', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const deployment = admit({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  }).object;
  const slice = admit({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'a' }, addressType: 'IPv4', endpoints: [] }).object;
  const counted = (object: typeof slice, metadata: object) => update(object, (it) => void Object.assign(it.metadata, metadata)).object.metadata.generation;
  const [labels, annotations] = [{ labels: { x: 'y' } }, { annotations: { x: 'y' } }];
  expect([counted(deployment, labels), counted(deployment, annotations), counted(deployment, { annotations: {} })]).toEqual([1, 2, 1]);
  expect([counted(slice, labels), counted(slice, annotations)]).toEqual([2, 1]);
  expect(updateStatus(deployment, (it) => void Object.assign(it.metadata, annotations)).object.metadata).toMatchObject({
    generation: 1,
    annotations: { x: 'y' },
  });
});

test('a LimitRange needs no name', () => {
  const { object, errors } = admit({ apiVersion: 'v1', kind: 'LimitRange', metadata: { uid: '0a1b' }, spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] } });
  expect([object.metadata.name, errors]).toEqual(['0a1b', []]);
});
