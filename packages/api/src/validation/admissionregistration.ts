import type { FieldError } from '../field-error.js';
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, optionalEnum, requiredEnum, requiredText, validateLabelSelector } from './common.js';
import { validateConditions } from './conditions.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required, tooMany } from './errors.js';
import { byteLength, isDNS1035Label, isDNS1123Subdomain, isPathSegment, isQualifiedName } from './names.js';
import { validateWebhookClient } from './webhook-client.js';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const MUTATING_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const ALL_SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

type Webhook = ValidatingWebhook | MutatingWebhook;
type WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration;

/** Rules that hold unless what is stored breaks them already. */
interface WebhookRules {
  readonly noSideEffects: boolean;
  readonly knownReview: boolean;
  readonly uniqueNames: boolean;
  readonly labelValues: boolean;
  readonly matchConditions: boolean;
}

const WEBHOOK_RULES: WebhookRules = { noSideEffects: true, knownReview: true, uniqueNames: true, labelValues: true, matchConditions: true };
const knowsReview = (versions: readonly string[]): boolean => versions.some((version) => REVIEW_VERSIONS.includes(version));

function rulesAfter(webhooks: readonly Webhook[], old: readonly Webhook[]): WebhookRules {
  return {
    noSideEffects: old.every(({ sideEffects }) => SIDE_EFFECTS.includes(sideEffects)),
    knownReview: old.every(({ admissionReviewVersions: versions = [] }) => versions.length === 0 || knowsReview(versions)),
    uniqueNames: new Set(old.map(({ name }) => name)).size === old.length,
    labelValues: old.every(({ namespaceSelector, objectSelector }) =>
      [namespaceSelector, objectSelector].every((s) => validateLabelSelector(s, '').length === 0),
    ),
    matchConditions: webhooks.length !== old.length || !webhooks.every(({ matchConditions }, i) => deepEqual(matchConditions, old[i]?.matchConditions)),
  };
}

export function validateWebhookConfiguration({ webhooks }: WebhookConfiguration, old?: WebhookConfiguration): FieldError[] {
  const all: Webhook[] = webhooks ?? [];
  const rules = old ? rulesAfter(all, old.webhooks ?? []) : WEBHOOK_RULES;
  const names = new Set<string>();
  return each(all, 'webhooks', (webhook, field) => {
    const errors = [...validateWebhook(webhook, field, rules), ...validateReviewVersions(webhook.admissionReviewVersions ?? [], field, rules)];
    if (rules.uniqueNames && names.has(webhook.name)) errors.push(duplicate(`${field}.name`, webhook.name));
    if (webhook.name) names.add(webhook.name);
    return errors;
  });
}

function validateReviewVersions(versions: readonly string[], field: string, { knownReview }: WebhookRules): FieldError[] {
  const path = `${field}.admissionReviewVersions`;
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const errors = each(versions, path, (version, at, index) =>
    versions.indexOf(version) < index ? [invalid(at, version, 'duplicate version')] : invalids(at, version, isDNS1035Label(version)),
  );
  if (knownReview && !knowsReview(versions)) errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  return errors;
}

function validateWebhook(webhook: Webhook, field: string, rules: WebhookRules): FieldError[] {
  const { name, timeoutSeconds: timeout, sideEffects, namespaceSelector, objectSelector } = webhook;
  const errors = validateFullName(name, `${field}.name`);
  errors.push(...each(webhook.rules, `${field}.rules`, validateRule));
  errors.push(...optionalEnum(webhook.failurePolicy, `${field}.failurePolicy`, ['Fail', 'Ignore']));
  errors.push(...optionalEnum(webhook.matchPolicy, `${field}.matchPolicy`, ['Equivalent', 'Exact']));
  const effects = rules.noSideEffects ? SIDE_EFFECTS : ALL_SIDE_EFFECTS;
  if (sideEffects === undefined) errors.push(required(`${field}.sideEffects`, `must specify one of ${effects.join(', ')}`));
  else errors.push(...optionalEnum(sideEffects, `${field}.sideEffects`, effects));
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    errors.push(invalid(`${field}.timeoutSeconds`, timeout, `the timeout value must be between 1 and 30 seconds`));
  }
  errors.push(...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`, rules.labelValues));
  errors.push(...validateLabelSelector(objectSelector, `${field}.objectSelector`, rules.labelValues));
  if ('reinvocationPolicy' in webhook) errors.push(...optionalEnum(webhook.reinvocationPolicy, `${field}.reinvocationPolicy`, ['IfNeeded', 'Never']));
  errors.push(...validateWebhookClient(webhook.clientConfig, `${field}.clientConfig`));
  return rules.matchConditions ? [...errors, ...validateMatchConditions(webhook.matchConditions, `${field}.matchConditions`)] : errors;
}

function validateFullName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return [invalid(field, name, wrong.join(','))];
  return name.split('.').length < 3 ? [invalid(field, name, 'should be a domain with at least three segments separated by dots')] : [];
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

function validateMatchConditions(conditions: readonly { readonly name: string; readonly expression: string }[] | undefined, field: string): FieldError[] {
  const names = new Set<string>();
  return [
    ...((conditions ?? []).length > MAX_CONDITIONS ? [tooMany(field, conditions?.length ?? 0, MAX_CONDITIONS)] : []),
    ...each(conditions, field, ({ name, expression }, path) => {
      const errors = expression?.trim() ? [] : [required(`${path}.expression`)];
      errors.push(...requiredText(name, `${path}.name`, isQualifiedName));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      if (name) names.add(name);
      return errors;
    }),
  ];
}

const CEL_IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const CEL_RESERVED = 'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' ');

function validateVariable({ name = '', expression }: { readonly name?: string; readonly expression?: string }, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name.trim() === '') errors.push(required(`${field}.name`, 'name is not specified'));
  else if (!CEL_IDENTIFIER.test(name) || CEL_RESERVED.includes(name)) errors.push(invalid(`${field}.name`, name, 'must be a valid CEL identifier'));
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
    const joined = (value: string, wrong: readonly string[]): FieldError[] =>
      wrong.length > 0 ? [invalid(`${field}.apiVersion`, value, wrong.join(','))] : [];
    if (group !== '') errors.push(...joined(group, isDNS1123Subdomain(group)));
    if (version === '') errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must be specified'));
    else errors.push(...joined(version, isDNS1035Label(version)));
  }
  if (kind === '') return [...errors, required(`${field}.kind`)];
  const wrong = isDNS1035Label(kind.toLowerCase());
  return wrong.length > 0 ? [...errors, invalid(`${field}.kind`, kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)] : errors;
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const MAX_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION = 5 * 1024;
const NOTHING = 'validations or auditAnnotations must contain at least one item';

type ValidatingSpec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type MutatingSpec = NonNullable<MutatingAdmissionPolicy['spec']>;
type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy;

const validateValidations = (validations: ValidatingSpec['validations'], field: string): FieldError[] =>
  each(validations, field, ({ expression, message, messageExpression, reason }, path) => {
    const errors: FieldError[] = [];
    if (!expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'));
    if (messageExpression && messageExpression.trim() === '')
      errors.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'));
    if (message && message.trim() === '') errors.push(invalid(`${path}.message`, message, 'must be non-empty if specified'));
    else if (message && /[\n\r]/.test(message.trim())) errors.push(invalid(`${path}.message`, message, 'must not contain line breaks'));
    return [...errors, ...optionalEnum(reason, `${path}.reason`, REASONS)];
  });

/** Match conditions that did not change stay, whatever they are. */
export const keepsMatchConditions = ({ spec }: Policy, old: Policy | undefined): boolean =>
  old !== undefined && deepEqual(spec?.paramKind, old.spec?.paramKind) && deepEqual(spec?.matchConditions, old.spec?.matchConditions);

export function validateAdmissionPolicy(policy: Policy, old?: Policy): FieldError[] {
  const spec: ValidatingSpec | MutatingSpec = policy.spec ?? {};
  const mutating = policy.kind === 'MutatingAdmissionPolicy';
  const errors = optionalEnum(spec.failurePolicy, 'spec.failurePolicy', ['Fail', 'Ignore']);
  if (spec.paramKind) errors.push(...validateParamKind(spec.paramKind, 'spec.paramKind'));
  if (spec.matchConstraints) errors.push(...validateMatch(spec.matchConstraints, 'spec.matchConstraints', mutating, true));
  else errors.push(required('spec.matchConstraints'));
  if (!keepsMatchConditions(policy, old)) errors.push(...validateMatchConditions(spec.matchConditions, 'spec.matchConditions'));
  errors.push(...each(spec.variables, 'spec.variables', validateVariable));
  return [...errors, ...(mutating ? validateMutations(spec as MutatingSpec) : validateOutcomes(spec as ValidatingSpec, policy.metadata.name ?? ''))];
}

function validateOutcomes({ validations = [], auditAnnotations = [] }: ValidatingSpec, name: string): FieldError[] {
  if (validations.length === 0 && auditAnnotations.length === 0) return [required('spec.validations', NOTHING), required('spec.auditAnnotations', NOTHING)];
  const errors = validateValidations(validations, 'spec.validations');
  const field = 'spec.auditAnnotations';
  if (auditAnnotations.length > MAX_ANNOTATIONS) errors.push(invalid(field, auditAnnotations, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`));
  const keys = new Set<string>();
  return [
    ...errors,
    ...each(auditAnnotations, field, ({ key = '', valueExpression = '' }, path) => {
      const whole = `${name}/${key}`;
      const found = invalids(`${path}.key`, whole, isQualifiedName(whole));
      const trimmed = valueExpression.trim();
      if (trimmed === '') found.push(required(`${path}.valueExpression`, 'valueExpression is not specified'));
      else if (byteLength(trimmed) > MAX_VALUE_EXPRESSION)
        found.push(required(`${path}.valueExpression`, `must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`));
      if (keys.has(key)) found.push(duplicate(`${path}.key`, key));
      keys.add(key);
      return found;
    }),
  ];
}

function validateMutations({ mutations = [], reinvocationPolicy }: MutatingSpec): FieldError[] {
  return [
    ...(mutations.length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : []),
    ...each(mutations, 'spec.mutations', ({ patchType, applyConfiguration, jsonPatch }, path) => {
      const errors = requiredEnum(patchType, `${path}.patchType`, ['ApplyConfiguration', 'JSONPatch']);
      if (errors.length > 0) return errors;
      const given = { applyConfiguration, jsonPatch };
      const [own, other] = patchType === 'JSONPatch' ? (['jsonPatch', 'applyConfiguration'] as const) : (['applyConfiguration', 'jsonPatch'] as const);
      if (!given[own]) errors.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
      else if (!given[own].expression?.trim()) errors.push(required(`${path}.${own}.expression`));
      if (given[other]) errors.push(invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
      return errors;
    }),
    ...requiredEnum(reinvocationPolicy, 'spec.reinvocationPolicy', ['IfNeeded', 'Never']),
  ];
}

export const validateAdmissionPolicyStatus = ({ status }: ValidatingAdmissionPolicy): FieldError[] => [
  ...each(status?.typeChecking?.expressionWarnings, 'status.typeChecking.expressionWarnings', ({ warning, fieldRef }, path) => [
    ...requiredText(warning, `${path}.warning`),
    ...requiredText(fieldRef?.trim(), `${path}.fieldRef`),
  ]),
  ...validateConditions(status?.conditions, 'status.conditions'),
];

/** A policy needs rules, to know types by; mutation knows no deletion. */
function validateMatch(match: MatchResources, field: string, mutating: boolean, needsRules: boolean): FieldError[] {
  const errors = [
    ...optionalEnum(match.matchPolicy, `${field}.matchPolicy`, ['Equivalent', 'Exact']),
    ...validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
    ...each(match.resourceRules, `${field}.resourceRules`, validateRule),
    ...each(match.excludeResourceRules, `${field}.excludeResourceRules`, validateRule),
  ];
  if (needsRules && (match.resourceRules ?? []).length === 0) errors.push(required(`${field}.resourceRules`));
  if (!mutating) return errors;
  const operations = (match.resourceRules ?? []).flatMap((rule) => rule.operations ?? []);
  return [...errors, ...operations.flatMap((operation) => optionalEnum(operation, `${field}.resourceRules.operations`, MUTATING_OPERATIONS))];
}

const ACTIONS = ['Audit', 'Deny', 'Warn'];

export function validateAdmissionPolicyBinding(binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding): FieldError[] {
  const mutating = binding.kind === 'MutatingAdmissionPolicyBinding';
  const spec = binding.spec ?? {};
  const errors = requiredText(spec.policyName, 'spec.policyName', isDNS1123Subdomain);
  if (spec.paramRef) errors.push(...validateParamRef(spec.paramRef, 'spec.paramRef'));
  if (spec.matchResources) errors.push(...validateMatch(spec.matchResources, 'spec.matchResources', mutating, false));
  return mutating ? errors : [...errors, ...validateActions((spec as NonNullable<ValidatingAdmissionPolicyBinding['spec']>).validationActions ?? [])];
}

function validateParamRef({ name, selector, parameterNotFoundAction }: ParamRef, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const both = 'name and selector are mutually exclusive';
  if (name) errors.push(...invalids(`${field}.name`, name, isPathSegment(name, false)));
  if (name && selector) errors.push(forbidden(`${field}.name`, both));
  errors.push(...validateLabelSelector(selector, `${field}.selector`));
  if (name && selector) errors.push(forbidden(`${field}.selector`, both));
  if (!name && !selector) errors.push(required(field, 'one of name or selector must be specified'));
  return [...errors, ...requiredEnum(parameterNotFoundAction, `${field}.parameterNotFoundAction`, ['Deny', 'Allow'])];
}

function validateActions(actions: readonly string[]): FieldError[] {
  const field = 'spec.validationActions';
  const errors = each(actions, field, (action, path, index) => [
    ...optionalEnum(action, path, ACTIONS),
    ...(actions.indexOf(action) < index ? [duplicate(path, action)] : []),
  ]);
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const detail = 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(field, actions, detail));
  }
  return actions.length === 0 ? [...errors, required(field, 'at least one validation action is required')] : errors;
}
