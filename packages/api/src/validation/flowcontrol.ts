import type { FieldError } from '../field-error.js';
import type { FlowcontrolSubject, FlowSchema, PolicyRulesWithSubjects, PriorityLevelConfiguration } from '../generated/types.js';
import { each, optionalEnum, requiredEnum, requiredText } from './common.js';
import { forbidden, invalid, notSupported, required } from './errors.js';
import { isDNS1123Subdomain } from './names.js';

const VERBS = ['*', 'apply', 'bind', 'create', 'delete', 'deletecollection', 'escalate', 'get', 'impersonate', 'list', 'patch', 'proxy', 'update', 'watch'];

export function validateFlowSchema({ metadata, spec }: FlowSchema): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  const precedence = spec.matchingPrecedence ?? 0;
  if (precedence < 1) errors.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > 10000) errors.push(invalid('spec.matchingPrecedence', precedence, 'must not be greater than 10000'));
  if (precedence === 1 && metadata.name !== 'exempt')
    errors.push(invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  if (spec.distinguisherMethod) errors.push(...requiredEnum(spec.distinguisherMethod.type, 'spec.distinguisherMethod.type', ['ByNamespace', 'ByUser']));
  errors.push(...requiredText(spec.priorityLevelConfiguration?.name, 'spec.priorityLevelConfiguration.name', isDNS1123Subdomain));
  return [...errors, ...each(spec.rules, 'spec.rules', validateRule)];
}

function validateRule({ subjects = [], resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (subjects.length === 0) errors.push(required(`${field}.subjects`, 'subjects must contain at least one value'));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  const verbs = (given: readonly string[], path: string): FieldError[] => {
    if (given.length === 0) return [required(path, 'verbs must contain at least one value')];
    if (given.includes('*') && given.length > 1) return [invalid(path, given, "if '*' is present, must not specify other verbs")];
    return given.filter((verb) => !VERBS.includes(verb)).map((verb) => notSupported(path, verb, VERBS));
  };
  return [
    ...errors,
    ...each(subjects, `${field}.subjects`, validateSubject),
    ...each(resourceRules, `${field}.resourceRules`, ({ verbs: given = [], apiGroups = [], resources = [], namespaces = [], clusterScope }, path) => {
      const found = verbs(given, `${path}.verbs`);
      if (apiGroups.length === 0) found.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
      if (resources.length === 0) found.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
      if (namespaces.length === 0 && !clusterScope) {
        found.push(required(`${path}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'));
      }
      return found;
    }),
    ...each(nonResourceRules, `${field}.nonResourceRules`, ({ verbs: given = [], nonResourceURLs = [] }, path) => {
      const found = verbs(given, `${path}.verbs`);
      if (nonResourceURLs.length === 0) found.push(required(`${path}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'));
      return found;
    }),
  ];
}

function validateSubject({ kind, user, group, serviceAccount }: FlowcontrolSubject, field: string): FieldError[] {
  const errors = requiredEnum(kind, `${field}.kind`, ['Group', 'ServiceAccount', 'User']);
  const given = { User: user, Group: group, ServiceAccount: serviceAccount };
  for (const [name, body] of Object.entries(given)) {
    const path = `${field}.${name === 'ServiceAccount' ? 'serviceAccount' : name.toLowerCase()}`;
    if (name !== kind && body) errors.push(forbidden(path, `${path.split('.').pop()} is forbidden when subject kind is not '${name}'`));
    if (name === kind && !body) errors.push(required(path, `${path.split('.').pop()} is required when subject kind is '${name}'`));
  }
  if (kind === 'ServiceAccount' && serviceAccount) {
    errors.push(
      ...requiredText(serviceAccount.name, `${field}.serviceAccount.name`),
      ...requiredText(serviceAccount.namespace, `${field}.serviceAccount.namespace`),
    );
  }
  return errors;
}

export function validatePriorityLevel({ spec }: PriorityLevelConfiguration): FieldError[] {
  const errors = requiredEnum(spec?.type, 'spec.type', ['Exempt', 'Limited']);
  if (!spec) return errors;
  if (spec.type === 'Exempt' && spec.limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
  if (spec.type === 'Limited' && spec.exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
  if (spec.type !== 'Limited') return errors;
  const { limited } = spec;
  if (!limited) return [...errors, required('spec.limited', 'must not be empty when type is Limited')];
  if ((limited.nominalConcurrencyShares ?? 0) < 0) {
    errors.push(invalid('spec.limited.nominalConcurrencyShares', limited.nominalConcurrencyShares, 'must be a non-negative integer'));
  }
  const lendable = limited.lendablePercent ?? 0;
  if (lendable < 0 || lendable > 100) errors.push(invalid('spec.limited.lendablePercent', lendable, 'must be between 0 and 100, inclusive'));
  const response = limited.limitResponse;
  const path = 'spec.limited.limitResponse';
  errors.push(...optionalEnum(response?.type, `${path}.type`, ['Queue', 'Reject']));
  if (!response?.type) errors.push(required(`${path}.type`));
  if (response?.type === 'Reject' && response.queuing) errors.push(forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  if (response?.type === 'Queue' && !response.queuing) errors.push(required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
  const queuing = response?.queuing;
  if (!queuing) return errors;
  if ((queuing.queues ?? 0) <= 0) errors.push(invalid(`${path}.queuing.queues`, queuing.queues, 'must be positive'));
  if ((queuing.queues ?? 0) > 10_000_000) errors.push(invalid(`${path}.queuing.queues`, queuing.queues, 'must not be greater than 10000000'));
  if ((queuing.queueLengthLimit ?? 0) <= 0) errors.push(invalid(`${path}.queuing.queueLengthLimit`, queuing.queueLengthLimit, 'must be positive'));
  if ((queuing.handSize ?? 0) <= 0) errors.push(invalid(`${path}.queuing.handSize`, queuing.handSize, 'must be positive'));
  if ((queuing.handSize ?? 0) > (queuing.queues ?? 0)) {
    errors.push(invalid(`${path}.queuing.handSize`, queuing.handSize, `should not be greater than queues (${queuing.queues})`));
  }
  return errors;
}
