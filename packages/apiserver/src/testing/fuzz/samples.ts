/** One object of each kind of thing the server knows how to validate: what the cases distort. */
export interface Sample {
  /** Of the collection. */
  readonly path: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const template = {
  metadata: { labels: { app: 'f' } },
  spec: {
    containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80 }], resources: { requests: { cpu: '10m' } } }],
    volumes: [{ name: 'v', configMap: { name: 'm' } }],
    tolerations: [{ key: 'k', operator: 'Exists' }],
  },
};

export function samples(namespace: string, name: string): readonly Sample[] {
  const metadata = { name, namespace, labels: { fuzz: 'yes' }, annotations: { a: 'b' } };
  const cluster = { name: `${namespace}-${name}`, labels: { fuzz: 'yes' } };
  const core = `/api/v1/namespaces/${namespace}`;
  const group = (name: string) => `/apis/${name}/namespaces/${namespace}`;
  return [
    { path: `${core}/configmaps`, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' }, binaryData: { b: 'AAAA' } } },
    { path: `${core}/secrets`, object: { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { k: 'dg==' }, stringData: { s: 't' } } },
    { path: `${core}/pods`, object: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, serviceAccountName: 'default' } } },
    {
      path: `${core}/services`,
      object: { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'f' }, ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }] } },
    },
    {
      path: `${core}/limitranges`,
      object: { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits: [{ type: 'Container', default: { cpu: '1' }, max: { cpu: '2' } }] } },
    },
    { path: `${core}/resourcequotas`, object: { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: { pods: '1000', 'requests.cpu': '100' } } } },
    {
      path: `${core}/events`,
      object: { apiVersion: 'v1', kind: 'Event', metadata, involvedObject: { namespace, kind: 'Pod', name }, reason: 'R', message: 'm', type: 'Normal' },
    },
    {
      path: `${group('apps/v1')}/deployments`,
      object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, selector: { matchLabels: { app: 'f' } }, template } },
    },
    {
      path: `${group('batch/v1')}/jobs`,
      object: { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } }, backoffLimit: 2 } },
    },
    {
      path: `${group('batch/v1')}/cronjobs`,
      object: {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata,
        spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } } },
      },
    },
    {
      path: `${group('networking.k8s.io/v1')}/ingresses`,
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata,
        spec: { rules: [{ host: 'a.b', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] },
      },
    },
    {
      path: `${group('networking.k8s.io/v1')}/networkpolicies`,
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }] },
      },
    },
    {
      path: `${group('rbac.authorization.k8s.io/v1')}/roles`,
      object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    },
    {
      path: `${group('coordination.k8s.io/v1')}/leases`,
      object: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata,
        spec: { holderIdentity: 'h', leaseDurationSeconds: 5, renewTime: '2026-01-01T00:00:00.000000Z' },
      },
    },
    {
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      object: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { ...cluster, name: `things.${name}.example.com` },
        spec: {
          group: `${name}.example.com`,
          scope: 'Namespaced',
          names: { plural: 'things', kind: 'Thing' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: {
                    spec: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, 'x-kubernetes-validations': [{ rule: 'self.n > 0' }] },
                  },
                },
              },
            },
          ],
        },
      },
    },
    {
      path: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
      object: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: cluster,
        spec: {
          matchConstraints: { resourceRules: [{ apiGroups: ['x'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['y'] }] },
          validations: [{ expression: 'object.spec.replicas <= 5' }],
        },
      },
    },
    {
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      object: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: 'bob', resourceAttributes: { verb: 'get', resource: 'pods' } },
      },
    },
  ];
}
