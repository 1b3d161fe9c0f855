import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { admit, definitionOf, update, updateStatus } from '../testing/admit.js';

const of = (apiVersion: string, kind: string, body: object): object => ({ apiVersion, kind, metadata: { name: 'x' }, ...body });
const ADMISSION = 'admissionregistration.k8s.io/v1';
const rule = (more: object = {}) => ({ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], ...more });
const webhook = (more: object = {}) =>
  of(ADMISSION, 'ValidatingWebhookConfiguration', {
    webhooks: [
      { name: 'a.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], clientConfig: { url: 'https://a.example.com' }, rules: [rule()], ...more },
    ],
  });
const policy = (more: object = {}) =>
  of(ADMISSION, 'ValidatingAdmissionPolicy', { spec: { matchConstraints: { resourceRules: [rule()] }, validations: [{ expression: 'true' }], ...more } });
const mutation = (mutations: object[], operations = ['CREATE']) =>
  of(ADMISSION, 'MutatingAdmissionPolicy', { spec: { matchConstraints: { resourceRules: [rule({ operations })] }, mutations, reinvocationPolicy: 'Never' } });
const binding = (more: object = {}) => of(ADMISSION, 'ValidatingAdmissionPolicyBinding', { spec: { policyName: 'p', validationActions: ['Deny'], ...more } });
const ingress = (backend: object) => of('networking.k8s.io/v1', 'Ingress', { spec: { defaultBackend: backend } });
const ingressClass = (parameters: object) => of('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/x', parameters } });

const CASES: readonly (readonly [object: object, ...errors: string[]])[] = [
  [
    webhook({ rules: [rule({ apiGroups: ['*', 'apps'], apiVersions: ['v1', ''], resources: ['pods/*', 'pods/log', '*/scale', 'x/scale', '*', 'pods', ''] })] }),
    'webhooks[0].rules[0].apiGroups: Invalid value: ["*","apps"]: if \'*\' is present, must not specify other API groups',
    'webhooks[0].rules[0].apiVersions[1]: Required value',
    'webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
    'webhooks[0].rules[0].resources[3]: Invalid value: "x/scale": if \'*/scale\' is present, must not specify x/scale',
    'webhooks[0].rules[0].resources[6]: Required value',
    'webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/log","*/scale","x/scale","*","pods",""]: if \'*\' is present, must not specify other resources without subresources',
  ],
  [webhook({ admissionReviewVersions: ['v1', 'v1'] }), 'webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version'],
  [
    webhook({ clientConfig: { service: { name: '', namespace: 'x', path: 'a//B', port: 0 } } }),
    'webhooks[0].clientConfig.service.namespace: Required value',
    'webhooks[0].clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
    'webhooks[0].clientConfig.service.path: Invalid value: "a//B": must start with a \'/\'',
    'webhooks[0].clientConfig.service.path: Invalid value: "a//B": segment[0] may not be empty',
    'webhooks[0].clientConfig.service.path: Invalid value: "a//B": segment[1] may not be empty',
    expect.stringContaining('webhooks[0].clientConfig.service.path: Invalid value: "a//B": segment[2]: a lowercase RFC 1123 subdomain'),
  ],
  [
    webhook({ clientConfig: { url: 'http:///x?y#z' } }),
    'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
    'webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]',
    'webhooks[0].clientConfig.url: Invalid value: "z": fragments are not permitted in the URL',
    'webhooks[0].clientConfig.url: Invalid value: "y": query parameters are not permitted in the URL',
  ],
  [
    webhook({ clientConfig: { url: 'https://a:b/' } }),
    'webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "https://a:b/": invalid port ":b" after host; desired format: https://host[/path]',
  ],
  [
    webhook({ clientConfig: { url: 'https://u:p@a.example.com' } }),
    'webhooks[0].clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL',
  ],
  [webhook({ name: 'example.com' }), 'webhooks[0].name: Invalid value: "example.com": should be a domain with at least three segments separated by dots'],
  [
    policy({
      auditAnnotations: [
        { key: '-', valueExpression: '1' },
        { key: 'a', valueExpression: ' ' },
      ],
    }),
    expect.stringContaining('spec.auditAnnotations[0].key: Invalid value: "x/-": name part must consist of'),
    'spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified',
  ],
  [
    mutation(
      [
        { patchType: 'JSONPatch', applyConfiguration: {} },
        { patchType: 'ApplyConfiguration', applyConfiguration: {} },
      ],
      ['DELETE'],
    ),
    'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
    'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
    'spec.mutations[1].applyConfiguration.expression: Required value',
  ],
  [mutation([]), 'spec.mutations: Required value: mutations must contain at least one item'],
  [webhook({ sideEffects: undefined }), 'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun'],
  [
    policy({ variables: [{ name: 'a-b', expression: '1' }, { name: 'for', expression: ' ' }, { expression: '1' }] }),
    'spec.variables[0].name: Invalid value: "a-b": must be a valid CEL identifier',
    'spec.variables[1].name: Invalid value: "for": must be a valid CEL identifier',
    'spec.variables[1].expression: Required value: expression is not specified',
    'spec.variables[2].name: Required value: name is not specified',
  ],
  [policy({ paramKind: { apiVersion: 'a/b/c', kind: 'K' } }), 'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
  [policy({ paramKind: { apiVersion: 'v1' } }), 'spec.paramKind.kind: Required value'],
  [
    policy({ validations: [{ expression: 'true', message: ' ', messageExpression: ' ', reason: 'Because' }] }),
    'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
    'spec.validations[0].message: Invalid value: " ": must be non-empty if specified',
    'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
  ],
  [
    policy({ validations: [] }),
    'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
  ],
  [
    policy({ matchConstraints: { resourceRules: [rule({ resourceNames: ['a', 'a', 'b/c'] })] } }),
    'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
    'spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "b/c": may not contain \'/\'',
  ],
  [
    binding({ paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' } }),
    'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
  ],
  [binding({ validationActions: ['Deny', 'Deny'] }), 'spec.validationActions[1]: Duplicate value: "Deny"'],
  [ingress({}), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'],
  [ingress({ service: { name: 's' } }), 'spec.defaultBackend: Required value: port name or number is required'],
  [ingress({ service: { name: 's', port: { name: 'p', number: 1 } } }), 'spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
  [ingress({ resource: { kind: 'K', name: 'a/b' } }), 'spec.defaultBackend.resource.name: Invalid value: "a/b": may not contain \'/\''],
  [ingressClass({ kind: 'K', name: 'n', scope: 'World' }), 'spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"'],
  [ingressClass({ kind: 'K', name: 'n', scope: 'Cluster', namespace: 'x' }), "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
];

describe('what is wrong with admission configuration and ingresses', () => {
  test.each(CASES.map(([object, ...errors]) => ({ object, errors })))('$errors', ({ object, errors }) => expect(admit(object).errors).toEqual(errors));
});

test('what is right passes', () => {
  const sound = [
    webhook({ rules: [rule({ resources: ['*', '*/scale'] }), rule({ resources: ['*/*'] })] }),
    policy({ paramKind: { apiVersion: 'example.com/v1', kind: 'Limits' }, variables: [{ name: 'a', expression: '1' }] }),
    binding({ paramRef: { selector: {}, parameterNotFoundAction: 'Allow' }, validationActions: ['Warn', 'Audit'] }),
    ingress({ service: { name: 's', port: { number: 80 } } }),
    ingressClass({ apiGroup: 'example.com', kind: 'K', name: 'n', scope: 'Namespace', namespace: 'x' }),
  ];
  for (const object of sound) expect(admit(object).errors).toEqual([]);
});

test('an ingress is reached by addresses and names', () => {
  const { object } = admit(ingress({ service: { name: 's', port: { number: 80 } } }));
  const status = definitionOf(object).subresources.find(({ type }) => type === 'status');
  const errors = (entry: object) =>
    status?.type === 'status'
      ? status.strategy?.validate?.({ ...object, status: { loadBalancer: { ingress: [entry] } } }).map(({ field }) => field)
      : undefined;
  expect(errors({ ip: '10.0.0.1', hostname: 'a.example.com' })).toEqual([]);
  expect(errors({ ip: '10.0.0' })).toEqual(['status.loadBalancer.ingress[0].ip']);
  expect(errors({ hostname: '10.0.0.1' })).toEqual(['status.loadBalancer.ingress[0].hostname']);
});

describe('what is stored of admission configuration may stay', () => {
  const stored = (more: object) => ({ ...(admit(webhook()).object as unknown as { webhooks: object[] }), ...more });
  const change = (object: KubeObject): string[] => update(object, ({ metadata }) => void (metadata.labels = { a: 'b' })).errors;
  const {
    webhooks: [hook],
  } = admit(webhook()).object as unknown as { webhooks: [object] };

  test.each([
    { what: 'side effects', webhooks: [{ ...hook, sideEffects: 'Some' }] },
    { what: 'unknown reviews', webhooks: [{ ...hook, admissionReviewVersions: ['v9'] }] },
    { what: 'one name twice', webhooks: [hook, hook] },
    { what: 'label values', webhooks: [{ ...hook, objectSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['-'] }] } }] },
    { what: 'match conditions', webhooks: [{ ...hook, matchConditions: [{ name: '', expression: 'true' }] }] },
  ])('$what', ({ webhooks }) => {
    expect(change(stored({ webhooks }) as unknown as KubeObject)).toEqual([]);
    expect(admit(stored({ webhooks })).errors).toHaveLength(1);
  });

  test('match conditions of a policy, while its parameters are the same', () => {
    const { object } = admit(policy());
    const old = { ...object, spec: { ...object.spec, matchConditions: [{ name: '', expression: 'true' }] } };
    expect(change(old)).toEqual([]);
    expect(update(old, ({ spec }) => void ((spec as { paramKind?: object }).paramKind = { apiVersion: 'v1', kind: 'ConfigMap' })).errors).toEqual([
      'spec.matchConditions[0].name: Required value',
    ]);
  });
});

test('what is wrong with the status of a policy', () => {
  const { object } = admit(policy());
  expect(updateStatus(object, (each) => void (each.status = { typeChecking: { expressionWarnings: [{ warning: '', fieldRef: ' ' }] } })).errors).toEqual([
    'status.typeChecking.expressionWarnings[0].warning: Required value',
    'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
  ]);
});
