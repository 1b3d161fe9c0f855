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
import { duplicate, forbidden, invalid, invalids, notSupported, required, tooMany } from './errors.js';
import { isDNS1035Label, isDNS1123Subdomain, isPathSegment, isQualifiedName } from './names.js';
import { validateWebhookClient } from './webhook-client.js';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
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
  if (sideEffects === undefined) errors.push(required(`${field}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  else errors.push(...requiredEnum(sideEffects, `${field}.sideEffects`, SIDE_EFFECTS));
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    errors.push(invalid(`${field}.timeoutSeconds`, timeout, `the timeout value must be between 1 and 30 seconds`));
  }
  if (versions.length === 0) errors.push(required(`${field}.admissionReviewVersions`, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
  else {
    const path = `${field}.admissionReviewVersions`;
    versions.forEach((version, index) => {
      if (versions.indexOf(version) < index) errors.push(invalid(`${path}[${index}]`, version, 'duplicate version'));
      else errors.push(...invalids(`${path}[${index}]`, version, isDNS1035Label(version)));
    });
    if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
      errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
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
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

function validateRule({ apiGroups = [], apiVersions = [], resources = [], operations = [], resourceNames = [], scope }: Rule, field: string): FieldError[] {
  const alone = (key: string, values: readonly string[], what: string): FieldError[] => {
    if (values.length === 0) return [required(`${field}.${key}`)];
    return values.length > 1 && values.includes('*') ? [invalid(`${field}.${key}`, values, `if '*' is present, must not specify other ${what}`)] : [];
  };
  return [
    ...each(resourceNames, `${field}.resourceNames`, (name, at, index) => [
      ...invalids(at, name, isPathSegment(name, false)),
      ...(resourceNames.indexOf(name) < index ? [duplicate(at, name)] : []),
    ]),
    ...alone('operations', operations, 'operations'),
    ...each(operations, `${field}.operations`, (operation, at) => (OPERATIONS.includes(operation) ? [] : [notSupported(at, operation, OPERATIONS)])),
    ...alone('apiGroups', apiGroups, 'API groups'),
    ...alone('apiVersions', apiVersions, 'API versions'),
    ...each(apiVersions, `${field}.apiVersions`, (version, at) => (version === '' ? [required(at)] : [])),
    ...validateResources(resources, `${field}.resources`),
    ...optionalEnum(scope, `${field}.scope`, ['*', 'Cluster', 'Namespaced']),
  ];
}

/** Resources and subresources: none that a wildcard before it means already. */
function validateResources(resources: readonly string[], field: string): FieldError[] {
  if (resources.length === 0) return [required(field)];
  const wholly = new Set<string>();
  const everywhere = new Set<string>();
  const errors = each(resources, field, (text, at) => {
    if (text === '') return [required(at)];
    const slash = text.indexOf('/');
    if (slash < 0) return [];
    const [resource, sub] = [text.slice(0, slash), text.slice(slash + 1)];
    const found: FieldError[] = [];
    if (wholly.has(resource)) found.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`));
    if (everywhere.has(sub)) found.push(invalid(at, text, `if '*/${sub}' is present, must not specify ${text}`));
    if (sub === '*') wholly.add(resource);
    if (resource === '*') everywhere.add(sub);
    return found;
  });
  if (resources.length > 1 && resources.includes('*/*')) errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && resources.some((text) => text !== '*' && text !== '' && !text.includes('/')))
    errors.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"));
  return errors;
}

const MAX_CONDITIONS = 64;

const validateMatchConditions = (conditions: readonly { readonly name: string; readonly expression: string }[] | undefined, field: string): FieldError[] => [
  ...((conditions ?? []).length > MAX_CONDITIONS ? [tooMany(field, conditions?.length ?? 0, MAX_CONDITIONS)] : []),
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

const CEL_IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const CEL_RESERVED = 'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' ');

function validateVariable({ name = '', expression }: { readonly name?: string; readonly expression?: string }, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name.trim() === '') errors.push(required(`${field}.name`, 'name is not specified'));
  else if (!CEL_IDENTIFIER.test(name) || CEL_RESERVED.includes(name)) errors.push(invalid(`${field}.name`, name, 'name is not a valid CEL identifier'));
  if (!expression?.trim()) errors.push(required(`${field}.expression`, 'expression is not specified'));
  return errors;
}

function validateParamKind({ apiVersion = '', kind = '' }: { readonly apiVersion?: string; readonly kind?: string }, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const parts = apiVersion.split('/');
  if (apiVersion === '') errors.push(required(`${field}.apiVersion`));
  else if (parts.length > 2) errors.push(invalid(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const version = parts.at(-1) ?? '';
    const group = parts.length === 2 ? (parts[0] ?? '') : '';
    if (group !== '') errors.push(...invalids(`${field}.apiVersion`, group, isDNS1123Subdomain(group)));
    if (version === '') errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must be specified'));
    else errors.push(...invalids(`${field}.apiVersion`, version, isDNS1035Label(version)));
  }
  if (kind === '') return [...errors, required(`${field}.kind`)];
  const wrong = isDNS1035Label(kind.toLowerCase());
  return wrong.length > 0 ? [...errors, invalid(`${field}.kind`, kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)] : errors;
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const MAX_ANNOTATIONS = 20;
const NOTHING = 'validations or auditAnnotations must contain at least one item';

type Validations = NonNullable<ValidatingAdmissionPolicy['spec']>['validations'];

const validateValidations = (validations: Validations, field: string): FieldError[] =>
  each(validations, field, ({ expression, message, messageExpression, reason }, path) => {
    const errors: FieldError[] = [];
    if (!expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'));
    if (messageExpression && messageExpression.trim() === '')
      errors.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'));
    if (message && message.trim() === '') errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
    else if (message?.trim().includes('\n')) errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
    return [...errors, ...optionalEnum(reason, `${path}.reason`, REASONS)];
  });

export function validateAdmissionPolicy(policy: ValidatingAdmissionPolicy | MutatingAdmissionPolicy): FieldError[] {
  const { spec } = policy;
  if (!spec) return [required('spec')];
  const errors = [
    ...optionalEnum(spec.failurePolicy, 'spec.failurePolicy', ['Fail', 'Ignore']),
    ...(spec.matchConstraints ? validateMatch(spec.matchConstraints, 'spec.matchConstraints', true) : [required('spec.matchConstraints')]),
    ...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...each(spec.variables, 'spec.variables', validateVariable),
  ];
  if (spec.paramKind) errors.push(...validateParamKind(spec.paramKind, 'spec.paramKind'));
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
  if ((validations ?? []).length === 0 && (auditAnnotations ?? []).length === 0)
    errors.push(required('spec.validations', NOTHING), required('spec.auditAnnotations', NOTHING));
  const annotations = 'spec.auditAnnotations';
  if ((auditAnnotations ?? []).length > MAX_ANNOTATIONS)
    errors.push(invalid(annotations, auditAnnotations, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`));
  return [
    ...errors,
    ...validateValidations(validations, 'spec.validations'),
    ...each(auditAnnotations, annotations, ({ key, valueExpression }, path) => [
      ...requiredText(key, `${path}.key`, isQualifiedName),
      ...(valueExpression?.trim() ? [] : [required(`${path}.valueExpression`, 'valueExpression is not specified')]),
    ]),
    ...unique(
      auditAnnotations ?? [],
      ({ key }) => key,
      (index) => `${annotations}[${index}].key`,
    ),
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
    if (reference.name) errors.push(...invalids('spec.paramRef.name', reference.name, isPathSegment(reference.name, false)));
    if (reference.name && reference.selector)
      errors.push(...['name', 'selector'].map((key) => forbidden(`spec.paramRef.${key}`, 'name and selector are mutually exclusive')));
    errors.push(...validateLabelSelector(reference.selector, 'spec.paramRef.selector'));
    if (!reference.name && !reference.selector) errors.push(required('spec.paramRef', 'one of name or selector must be specified'));
    errors.push(...requiredEnum(reference.parameterNotFoundAction, 'spec.paramRef.parameterNotFoundAction', ['Allow', 'Deny']));
  }
  if (binding.kind === 'MutatingAdmissionPolicyBinding') return errors;
  const actions = (spec as NonNullable<ValidatingAdmissionPolicyBinding['spec']>).validationActions ?? [];
  if (actions.length === 0) errors.push(required('spec.validationActions', 'at least one validation action is required'));
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.push(
      invalid(
        'spec.validationActions',
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  }
  return [
    ...errors,
    ...each(actions, 'spec.validationActions', (action, path, index) => [
      ...requiredEnum(action, path, ACTIONS),
      ...(actions.indexOf(action) < index ? [duplicate(path, action)] : []),
    ]),
  ];
}
