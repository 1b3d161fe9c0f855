import type { FieldError } from '../field-error.js';
import type {
  FlowcontrolSubject,
  FlowSchema,
  LimitedPriorityLevelConfiguration,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
  ServiceAccountSubject,
} from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { own } from '../util/own.js';
import { each, requiredText } from './common.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from './names.js';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};
const groups = (...names: string[]): FlowcontrolSubject[] => names.map((name) => ({ kind: 'Group', group: { name } }));

/** The schemas that nobody may change. */
const FIXED_SCHEMAS: Readonly<Record<string, FlowSchema['spec']>> = {
  exempt: {
    priorityLevelConfiguration: { name: 'exempt' },
    matchingPrecedence: 1,
    rules: [{ subjects: groups('system:masters'), ...EVERYTHING }],
  },
  'catch-all': {
    priorityLevelConfiguration: { name: 'catch-all' },
    matchingPrecedence: 10_000,
    distinguisherMethod: { type: 'ByUser' },
    rules: [{ subjects: groups('system:unauthenticated', 'system:authenticated'), ...EVERYTHING }],
  },
};

/** The levels that nobody may change; of `exempt`, how much it may lend. */
const FIXED_LEVELS: Readonly<Record<string, PriorityLevelConfiguration['spec']>> = {
  exempt: { type: 'Exempt' },
  'catch-all': { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } },
};

export function validateFlowSchema(schema: FlowSchema, old?: FlowSchema): FieldError[] {
  const { metadata, spec } = schema;
  const name = metadata.name ?? '';
  const fixed = own(FIXED_SCHEMAS, name);
  if (!fixed) return [...validateFlowSchemaStatus(schema), ...validateSchemaSpec(spec, name)];
  if (old && !deepEqual(spec, old.spec)) return [invalid('spec', spec, 'spec of a fixed object may not be updated')];
  const errors = validateFlowSchemaStatus(schema);
  return deepEqual(spec, fixed) ? errors : [...errors, invalid('spec', spec, `spec of '${name}' must equal the fixed value`)];
}

/** Of schemas and of levels. */
export const validateFlowSchemaStatus = ({ status }: FlowSchema | PriorityLevelConfiguration): FieldError[] => {
  const seen = new Set<string>();
  return each(status?.conditions, 'status.conditions', ({ type = '' }, path) => {
    const errors = seen.has(type) ? [duplicate(`${path}.type`, type)] : [];
    seen.add(type);
    return type === '' ? [...errors, required(`${path}.type`, 'must not be empty')] : errors;
  });
};

const METHODS = ['ByNamespace', 'ByUser'];

function validateSchemaSpec(spec: FlowSchema['spec'], name: string): FieldError[] {
  const errors: FieldError[] = [];
  const precedence = spec?.matchingPrecedence ?? 1000;
  if (precedence < 1) errors.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > 10000) errors.push(invalid('spec.matchingPrecedence', precedence, 'must not be greater than 10000'));
  if (precedence === 1 && name !== 'exempt')
    errors.push(invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const method = spec?.distinguisherMethod;
  if (method && !METHODS.includes(method.type)) errors.push(notSupported('spec.distinguisherMethod.type', method, METHODS));
  const level = spec?.priorityLevelConfiguration?.name;
  if (level) errors.push(...invalids('spec.priorityLevelConfiguration.name', level, isDNS1123Subdomain(level)));
  else errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  return [...errors, ...each(spec?.rules, 'spec.rules', validateRule)];
}

function validateRule({ subjects = [], resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects, field: string): FieldError[] {
  const errors = each(subjects, `${field}.subjects`, validateSubject);
  if (subjects.length === 0) errors.push(required(`${field}.subjects`, 'subjects must contain at least one value'));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  return [
    ...errors,
    ...each(resourceRules, `${field}.resourceRules`, validateResourceRule),
    ...each(nonResourceRules, `${field}.nonResourceRules`, ({ verbs = [], nonResourceURLs = [] }, path) => {
      const found = validateVerbs(verbs, `${path}.verbs`);
      if (nonResourceURLs.length === 0) found.push(required(`${path}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'));
      if (nonResourceURLs.includes('*')) return [...found, ...alone(nonResourceURLs, `${path}.nonResourceURLs`, 'non-resource URLs')];
      return [...found, ...each(nonResourceURLs, `${path}.nonResourceURLs`, validateURL)];
    }),
  ];
}

function validateVerbs(verbs: readonly string[], field: string): FieldError[] {
  if (verbs.length === 0) return [required(field, 'verbs must contain at least one value')];
  if (verbs.includes('*')) return alone(verbs, field, 'verbs');
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(field, verbs, VERBS)];
}

/** `*` stands by itself. */
const alone = (given: readonly string[], field: string, what: string): FieldError[] =>
  given.includes('*') && given.length > 1 ? [invalid(field, given, `if '*' is present, must not specify other ${what}`)] : [];

function validateResourceRule(
  { verbs = [], apiGroups = [], resources = [], namespaces: named, clusterScope }: ResourcePolicyRule,
  field: string,
): FieldError[] {
  const namespaces = named ?? [];
  const errors = validateVerbs(verbs, `${field}.verbs`);
  if (apiGroups.length === 0) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  errors.push(...alone(apiGroups, `${field}.apiGroups`, 'api groups'));
  if (resources.length === 0) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  errors.push(...alone(resources, `${field}.resources`, 'resources'));
  if (namespaces.length === 0 && !clusterScope) {
    errors.push(required(`${field}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'));
  }
  if (namespaces.includes('*')) return [...errors, ...alone(namespaces, `${field}.namespaces`, 'namespaces')];
  return [
    ...errors,
    ...each(namespaces, `${field}.namespaces`, (name, at) =>
      isDNS1123Label(name).map((detail) => invalid(at, name, `each member of this list must be '*' or a DNS-1123 label; ${detail}`)),
    ),
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

const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;
type SubjectKind = keyof typeof SUBJECTS;

function validateSubject(subject: FlowcontrolSubject, field: string): FieldError[] {
  const errors = knownEnum(subject.kind, `${field}.kind`, ['Group', 'ServiceAccount', 'User']);
  if (errors.length > 0) return errors;
  const key = SUBJECTS[subject.kind as SubjectKind];
  errors.push(
    ...(subject[key]
      ? validateSubjectBody(subject, `${field}.${key}`)
      : [required(`${field}.${key}`, `${key} is required when subject kind is '${subject.kind}'`)]),
  );
  for (const [kind, other] of Object.entries(SUBJECTS)) {
    if (other !== key && subject[other]) errors.push(forbidden(`${field}.${other}`, `${other} is forbidden when subject kind is not '${kind}'`));
  }
  return errors;
}

function validateSubjectBody({ kind, user, group, serviceAccount = {} as ServiceAccountSubject }: FlowcontrolSubject, field: string): FieldError[] {
  if (kind !== 'ServiceAccount') return requiredText(kind === 'User' ? user?.name : group?.name, `${field}.name`);
  const { name, namespace } = serviceAccount;
  return [
    ...(name === '*' ? [] : requiredText(name, `${field}.name`, isDNS1123Subdomain)),
    ...(namespace
      ? invalids(`${field}.namespace`, namespace, isDNS1123Label(namespace))
      : [required(`${field}.namespace`, 'must specify namespace for service account')]),
  ];
}

const MAX_HASH_BITS = 60;
const MAX_QUEUES = 10_000_000;

/** How many bits a hash must have to deal a hand of queues. */
function entropyBits(deck: number, hand: number): number {
  let deals = 1;
  for (let i = 0; i < hand; i++) deals *= deck - i;
  return Math.ceil(Math.log2(deals));
}

export function validatePriorityLevel(level: PriorityLevelConfiguration): FieldError[] {
  const name = level.metadata.name ?? '';
  const spec = level.spec ?? ({} as NonNullable<PriorityLevelConfiguration['spec']>);
  const errors = validateLevelSpec(spec, name);
  const fixed = own(FIXED_LEVELS, name);
  if (fixed && !deepEqual(name === 'exempt' ? { ...spec, exempt: undefined } : spec, fixed)) {
    errors.push(invalid('spec', spec, `spec of '${name}' ${name === 'exempt' ? "except the 'spec.exempt' field " : ''}must equal the fixed value`));
  }
  return [...errors, ...validateFlowSchemaStatus(level)];
}

function validateLevelSpec({ type, limited, exempt }: NonNullable<PriorityLevelConfiguration['spec']>, name: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((name === 'exempt') !== (type === 'Exempt')) errors.push(invalid('spec.type', type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"));
  errors.push(...knownEnum(type, 'spec.type', ['Exempt', 'Limited']));
  if (type === 'Exempt') {
    if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt) errors.push(...validateShares(exempt.nominalConcurrencyShares, 'spec.exempt'), ...validateLendable(exempt.lendablePercent, 'spec.exempt'));
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (limited) errors.push(...validateLimited(limited, 'spec.limited'));
    else errors.push(required('spec.limited', 'must not be empty when type is Limited'));
  }
  return errors;
}

const validateShares = (shares: number | undefined, field: string): FieldError[] =>
  shares !== undefined && shares < 0 ? [invalid(`${field}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')] : [];

const validateLendable = (percent: number | undefined, field: string): FieldError[] =>
  percent !== undefined && (percent < 0 || percent > 100) ? [invalid(`${field}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')] : [];

function validateLimited(limited: LimitedPriorityLevelConfiguration, field: string): FieldError[] {
  const { nominalConcurrencyShares, limitResponse: response, lendablePercent, borrowingLimitPercent } = limited;
  const errors = validateShares(nominalConcurrencyShares, field);
  const path = `${field}.limitResponse`;
  errors.push(...knownEnum(response?.type, `${path}.type`, ['Queue', 'Reject']));
  if (response?.type === 'Reject' && response.queuing) errors.push(forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  if (response?.type === 'Queue') {
    if (response.queuing) errors.push(...validateQueuing(response.queuing, `${path}.queuing`));
    else errors.push(required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
  }
  errors.push(...validateLendable(lendablePercent, field));
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0)
    errors.push(invalid(`${field}.borrowingLimitPercent`, borrowingLimitPercent, 'if specified, must be a non-negative integer'));
  return errors;
}

function validateQueuing({ queues = 0, handSize = 0, queueLengthLimit = 0 }: QueuingConfiguration, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (queueLengthLimit <= 0) errors.push(invalid(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${field}.queues`, queues, 'must be positive'));
  else if (queues > MAX_QUEUES) errors.push(invalid(`${field}.queues`, queues, `must not be greater than ${MAX_QUEUES}`));
  if (handSize <= 0) errors.push(invalid(`${field}.handSize`, handSize, 'must be positive'));
  else if (handSize > queues) errors.push(invalid(`${field}.handSize`, handSize, `should not be greater than queues (${queues})`));
  else if (entropyBits(queues, handSize) > MAX_HASH_BITS) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`;
    errors.push(invalid(`${field}.handSize`, handSize, detail));
  }
  return errors;
}
