import type { FieldError } from '../field-error.js';
import type { FlowcontrolSubject, FlowSchema, PolicyRulesWithSubjects, PriorityLevelConfiguration } from '../generated/types.js';
import { each, requiredText } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from './names.js';

const VERBS = ['*', 'apply', 'bind', 'create', 'delete', 'deletecollection', 'escalate', 'get', 'impersonate', 'list', 'patch', 'proxy', 'update', 'watch'];

export function validateFlowSchema({ metadata, spec }: FlowSchema): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  const precedence = spec.matchingPrecedence ?? 0;
  if (precedence < 1) errors.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > 10000) errors.push(invalid('spec.matchingPrecedence', precedence, 'must not be greater than 10000'));
  if (precedence === 1 && metadata.name !== 'exempt')
    errors.push(invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  if (spec.distinguisherMethod) errors.push(...knownEnum(spec.distinguisherMethod.type, 'spec.distinguisherMethod.type', ['ByNamespace', 'ByUser']));
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
    return given[0] === '*' || given.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(path, given, VERBS)];
  };
  const alone = (given: readonly string[], path: string, what: string): FieldError[] =>
    given.includes('*') && given.length > 1 ? [invalid(path, given, `if '*' is present, must not specify other ${what}`)] : [];
  return [
    ...errors,
    ...each(subjects, `${field}.subjects`, validateSubject),
    ...each(resourceRules, `${field}.resourceRules`, ({ verbs: given = [], apiGroups = [], resources = [], namespaces: named, clusterScope }, path) => {
      const namespaces = named ?? [];
      const found = verbs(given, `${path}.verbs`);
      if (apiGroups.length === 0) found.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
      if (resources.length === 0) found.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
      if (namespaces.length === 0 && !clusterScope) {
        found.push(required(`${path}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'));
      }
      found.push(...alone(apiGroups, `${path}.apiGroups`, 'api groups'), ...alone(resources, `${path}.resources`, 'resources'));
      if (namespaces.includes('*')) return [...found, ...alone(namespaces, `${path}.namespaces`, 'namespaces')];
      return [
        ...found,
        ...each(namespaces, `${path}.namespaces`, (name, at) =>
          isDNS1123Label(name).map((detail) => invalid(at, name, `each member of this list must be '*' or a DNS-1123 label; ${detail}`)),
        ),
      ];
    }),
    ...each(nonResourceRules, `${field}.nonResourceRules`, ({ verbs: given = [], nonResourceURLs = [] }, path) => {
      const found = verbs(given, `${path}.verbs`);
      if (nonResourceURLs.length === 0) found.push(required(`${path}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'));
      if (nonResourceURLs.includes('*')) return [...found, ...alone(nonResourceURLs, `${path}.nonResourceURLs`, 'non-resource URLs')];
      return [...found, ...each(nonResourceURLs, `${path}.nonResourceURLs`, validateURL)];
    }),
  ];
}

function validateURL(path: string, field: string): FieldError[] {
  if (path === '') return [invalid(field, path, 'must not be empty')];
  if (path === '/') return [];
  if (!path.startsWith('/')) return [invalid(field, path, 'must start with slash')];
  if (path.includes(' ')) return [invalid(field, path, 'must not contain white-space')];
  if (path.includes('//')) return [invalid(field, path, 'must not contain double slash')];
  const wildcards = path.split('*').length - 1;
  return wildcards > 1 || (wildcards === 1 && !path.endsWith('/*')) ? [invalid(field, path, 'wildcard can only do suffix matching')] : [];
}

/** No value is none of those. */
const knownEnum = (value: string | undefined, field: string, known: readonly string[]): FieldError[] =>
  known.includes(value ?? '') ? [] : [notSupported(field, value ?? '', known)];

function validateSubject({ kind, user, group, serviceAccount }: FlowcontrolSubject, field: string): FieldError[] {
  const errors = knownEnum(kind, `${field}.kind`, ['Group', 'ServiceAccount', 'User']);
  if (errors.length > 0) return errors;
  const given = { User: user, Group: group, ServiceAccount: serviceAccount };
  for (const [name, body] of Object.entries(given)) {
    const path = `${field}.${name === 'ServiceAccount' ? 'serviceAccount' : name.toLowerCase()}`;
    if (name !== kind && body) errors.push(forbidden(path, `${path.split('.').pop()} is forbidden when subject kind is not '${name}'`));
    if (name === kind && !body) errors.push(required(path, `${path.split('.').pop()} is required when subject kind is '${name}'`));
  }
  if (kind === 'User' && user) errors.push(...requiredText(user.name, `${field}.user.name`));
  if (kind === 'Group' && group) errors.push(...requiredText(group.name, `${field}.group.name`));
  if (kind === 'ServiceAccount' && serviceAccount) {
    const { name, namespace } = serviceAccount;
    errors.push(...(name === '*' ? [] : requiredText(name, `${field}.serviceAccount.name`, isDNS1123Subdomain)));
    if (namespace) errors.push(...invalids(`${field}.serviceAccount.namespace`, namespace, isDNS1123Label(namespace)));
    else errors.push(required(`${field}.serviceAccount.namespace`, 'must specify namespace for service account'));
  }
  return errors;
}

const MAX_HASH_BITS = 60;

/** How many bits a hash must have to deal a hand of queues. */
function entropyBits(deck: number, hand: number): number {
  let deals = 1;
  for (let i = 0; i < hand; i++) deals *= deck - i;
  return Math.ceil(Math.log2(deals));
}

export function validatePriorityLevel({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const errors = knownEnum(spec?.type, 'spec.type', ['Exempt', 'Limited']);
  if ((metadata.name === 'exempt') !== (spec?.type === 'Exempt'))
    errors.unshift(invalid('spec.type', spec?.type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"));
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
  if ((limited.borrowingLimitPercent ?? 0) < 0)
    errors.push(invalid('spec.limited.borrowingLimitPercent', limited.borrowingLimitPercent, 'if specified, must be a non-negative integer'));
  const response = limited.limitResponse;
  const path = 'spec.limited.limitResponse';
  errors.push(...knownEnum(response?.type, `${path}.type`, ['Queue', 'Reject']));
  if (response?.type === 'Reject' && response.queuing) errors.push(forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  if (response?.type === 'Queue' && !response.queuing) errors.push(required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
  const queuing = response?.queuing;
  if (!queuing) return errors;
  if ((queuing.queues ?? 0) <= 0) errors.push(invalid(`${path}.queuing.queues`, queuing.queues, 'must be positive'));
  if ((queuing.queues ?? 0) > 10_000_000) errors.push(invalid(`${path}.queuing.queues`, queuing.queues, 'must not be greater than 10000000'));
  if ((queuing.queueLengthLimit ?? 0) <= 0) errors.push(invalid(`${path}.queuing.queueLengthLimit`, queuing.queueLengthLimit, 'must be positive'));
  if ((queuing.handSize ?? 0) <= 0) errors.push(invalid(`${path}.queuing.handSize`, queuing.handSize, 'must be positive'));
  const { queues = 0, handSize = 0 } = queuing;
  if (handSize > queues && handSize > 0) errors.push(invalid(`${path}.queuing.handSize`, handSize, `should not be greater than queues (${queues})`));
  else if (handSize > 0 && entropyBits(queues, handSize) > MAX_HASH_BITS) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`;
    errors.push(invalid(`${path}.queuing.handSize`, handSize, detail));
  }
  return errors;
}
