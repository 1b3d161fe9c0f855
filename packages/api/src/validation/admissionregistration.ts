import type { FieldError } from '../field-error.js';
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../generated/types.js';
import { each, optionalEnum, requiredEnum, requiredText, unique, validateLabelSelector } from './common.js';
import { forbidden, invalid, notSupported, required } from './errors.js';
import { isDNS1123Subdomain, isQualifiedName } from './names.js';
import { validateWebhookClient } from './webhook-client.js';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

export function validateWebhookConfiguration({ webhooks }: ValidatingWebhookConfiguration | MutatingWebhookConfiguration): FieldError[] {
  const all: (ValidatingWebhook | MutatingWebhook)[] = webhooks ?? [];
  return [
    ...unique(
      all,
      ({ name }) => name,
      (index) => `webhooks[${index}].name`,
    ),
    ...each(all, 'webhooks', validateWebhook),
  ];
}

function validateWebhook(webhook: ValidatingWebhook | MutatingWebhook, field: string): FieldError[] {
  const { name, timeoutSeconds: timeout, sideEffects, admissionReviewVersions: versions = [] } = webhook;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${field}.name`));
  else {
    errors.push(...requiredText(name, `${field}.name`, isDNS1123Subdomain));
    if (name.split('.').length < 3) errors.push(invalid(`${field}.name`, name, 'should be a domain with at least three segments separated by dots'));
  }
  errors.push(...optionalEnum(webhook.failurePolicy, `${field}.failurePolicy`, ['Fail', 'Ignore']));
  errors.push(...optionalEnum(webhook.matchPolicy, `${field}.matchPolicy`, ['Equivalent', 'Exact']));
  if ('reinvocationPolicy' in webhook) errors.push(...optionalEnum(webhook.reinvocationPolicy, `${field}.reinvocationPolicy`, ['IfNeeded', 'Never']));
  errors.push(...requiredEnum(sideEffects, `${field}.sideEffects`, ['None', 'NoneOnDryRun']));
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    errors.push(invalid(`${field}.timeoutSeconds`, timeout, `the timeout value must be between 1 and 30 seconds`));
  }
  if (versions.length === 0) errors.push(required(`${field}.admissionReviewVersions`, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
  else if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(invalid(`${field}.admissionReviewVersions`, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  }
  return [
    ...errors,
    ...validateLabelSelector(webhook.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${field}.objectSelector`),
    ...each(webhook.rules, `${field}.rules`, validateRule),
    ...validateWebhookClient(webhook.clientConfig, `${field}.clientConfig`),
    ...validateMatchConditions(webhook.matchConditions, `${field}.matchConditions`),
  ];
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly operations?: readonly string[];
  readonly scope?: string;
}

function validateRule({ apiGroups = [], apiVersions = [], resources = [], operations = [], scope }: Rule, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, values] of [
    ['apiGroups', apiGroups],
    ['apiVersions', apiVersions],
    ['resources', resources],
  ] as const) {
    if (values.length === 0) errors.push(required(`${field}.${key}`));
    if (values.length > 1 && values.includes('*')) errors.push(invalid(`${field}.${key}`, values, "if '*' is present, must not specify other values"));
  }
  if (operations.length === 0) errors.push(required(`${field}.operations`));
  if (operations.length > 1 && operations.includes('*'))
    errors.push(invalid(`${field}.operations`, operations, "if '*' is present, must not specify other operations"));
  for (const [index, operation] of operations.entries()) {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${field}.operations[${index}]`, operation, OPERATIONS));
  }
  return [...errors, ...optionalEnum(scope, `${field}.scope`, ['*', 'Cluster', 'Namespaced'])];
}

const validateMatchConditions = (conditions: readonly { readonly name: string; readonly expression: string }[] | undefined, field: string): FieldError[] => [
  ...unique(
    conditions ?? [],
    ({ name }) => name,
    (index) => `${field}[${index}].name`,
  ),
  ...each(conditions, field, ({ name, expression }, path) => [
    ...requiredText(name, `${path}.name`, isQualifiedName),
    ...(expression?.trim() ? [] : [required(`${path}.expression`)]),
  ]),
];

export function validateAdmissionPolicy(policy: ValidatingAdmissionPolicy | MutatingAdmissionPolicy): FieldError[] {
  const { spec } = policy;
  if (!spec) return [required('spec')];
  const errors = [
    ...optionalEnum(spec.failurePolicy, 'spec.failurePolicy', ['Fail', 'Ignore']),
    ...(spec.matchConstraints ? validateMatch(spec.matchConstraints, 'spec.matchConstraints', true) : [required('spec.matchConstraints')]),
    ...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...each(spec.variables, 'spec.variables', ({ name, expression }, path) => [
      ...requiredText(name, `${path}.name`),
      ...requiredText(expression, `${path}.expression`),
    ]),
  ];
  if (spec.paramKind)
    errors.push(...requiredText(spec.paramKind.kind, 'spec.paramKind.kind'), ...requiredText(spec.paramKind.apiVersion, 'spec.paramKind.apiVersion'));
  if ('mutations' in spec || policy.kind === 'MutatingAdmissionPolicy') {
    const { mutations, reinvocationPolicy } = spec as NonNullable<MutatingAdmissionPolicy['spec']>;
    if ((mutations ?? []).length === 0) errors.push(required('spec.mutations'));
    errors.push(...requiredEnum(reinvocationPolicy, 'spec.reinvocationPolicy', ['IfNeeded', 'Never']));
    return [
      ...errors,
      ...each(mutations, 'spec.mutations', ({ patchType }, path) => requiredEnum(patchType, `${path}.patchType`, ['ApplyConfiguration', 'JSONPatch'])),
    ];
  }
  const { validations, auditAnnotations } = spec as NonNullable<ValidatingAdmissionPolicy['spec']>;
  if ((validations ?? []).length === 0 && (auditAnnotations ?? []).length === 0) {
    errors.push(required('spec.validations', 'validations or auditAnnotations must be non-empty'));
  }
  return [
    ...errors,
    ...each(validations, 'spec.validations', ({ expression, message }, path) => [
      ...requiredText(expression?.trim(), `${path}.expression`),
      ...(message?.includes('\n') ? [invalid(`${path}.message`, message, 'message must not contain line breaks')] : []),
    ]),
    ...each(auditAnnotations, 'spec.auditAnnotations', ({ key, valueExpression }, path) => [
      ...requiredText(key, `${path}.key`, isQualifiedName),
      ...requiredText(valueExpression?.trim(), `${path}.valueExpression`),
    ]),
  ];
}

function validateMatch(match: MatchResources, field: string, needsRules: boolean): FieldError[] {
  const errors = [
    ...optionalEnum(match.matchPolicy, `${field}.matchPolicy`, ['Equivalent', 'Exact']),
    ...validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
    ...each(match.resourceRules, `${field}.resourceRules`, validateRule),
    ...each(match.excludeResourceRules, `${field}.excludeResourceRules`, validateRule),
  ];
  if (needsRules && (match.resourceRules ?? []).length === 0) errors.push(required(`${field}.resourceRules`));
  return errors;
}

const ACTIONS = ['Audit', 'Deny', 'Warn'];

export function validateAdmissionPolicyBinding(binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding): FieldError[] {
  const { spec } = binding;
  if (!spec) return [required('spec')];
  const errors = requiredText(spec.policyName, 'spec.policyName', isDNS1123Subdomain);
  if (spec.matchResources) errors.push(...validateMatch(spec.matchResources, 'spec.matchResources', false));
  const reference = spec.paramRef;
  if (reference) {
    if (reference.name && reference.selector) errors.push(forbidden('spec.paramRef.name', 'name and selector are mutually exclusive'));
    if (!reference.name && !reference.selector) errors.push(required('spec.paramRef', 'one of name or selector must be specified'));
    errors.push(...requiredEnum(reference.parameterNotFoundAction, 'spec.paramRef.parameterNotFoundAction', ['Allow', 'Deny']));
  }
  if (binding.kind === 'MutatingAdmissionPolicyBinding') return errors;
  const actions = (spec as NonNullable<ValidatingAdmissionPolicyBinding['spec']>).validationActions ?? [];
  if (actions.length === 0) errors.push(required('spec.validationActions'));
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.push(
      invalid(
        'spec.validationActions',
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  }
  return [...errors, ...each(actions, 'spec.validationActions', (action, path) => requiredEnum(action, path, ACTIONS))];
}
