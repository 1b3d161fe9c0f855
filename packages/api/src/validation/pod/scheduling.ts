import type { FieldError } from '../../field-error.js';
import type { Affinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Toleration, TopologySpreadConstraint } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { each, optionalEnum, requiredEnum, validateLabelSelector } from '../common.js';
import { duplicate, forbidden, invalid, invalids, required } from '../errors.js';
import { isDNS1123Label, isLabelValue, isQualifiedName } from '../names.js';

export function validateAffinity(affinity: Affinity | undefined, field: string): FieldError[] {
  const { nodeAffinity: nodes, podAffinity: pods, podAntiAffinity: anti } = affinity ?? {};
  const errors: FieldError[] = [];
  if (nodes) {
    const path = `${field}.nodeAffinity`;
    const required = nodes.requiredDuringSchedulingIgnoredDuringExecution;
    if (required) errors.push(...validateNodeSelectorTerms(required.nodeSelectorTerms, `${path}.requiredDuringSchedulingIgnoredDuringExecution`));
    errors.push(
      ...each(
        nodes.preferredDuringSchedulingIgnoredDuringExecution,
        `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
        ({ weight, preference }, at) => [...validateWeight(weight, `${at}.weight`), ...validateNodeSelectorTerm(preference, `${at}.preference`)],
      ),
    );
  }
  for (const [kind, rules] of [
    ['podAffinity', pods],
    ['podAntiAffinity', anti],
  ] as const) {
    if (!rules) continue;
    const path = `${field}.${kind}`;
    errors.push(
      ...each(rules.requiredDuringSchedulingIgnoredDuringExecution, `${path}.requiredDuringSchedulingIgnoredDuringExecution`, validatePodAffinityTerm),
      ...each(
        rules.preferredDuringSchedulingIgnoredDuringExecution,
        `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
        ({ weight, podAffinityTerm }, at) => [...validateWeight(weight, `${at}.weight`), ...validatePodAffinityTerm(podAffinityTerm, `${at}.podAffinityTerm`)],
      ),
    );
  }
  return errors;
}

const validateWeight = (weight: number, field: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(field, weight, 'must be in the range 1-100')];

/** The terms of a node selector; at least one. */
export function validateNodeSelectorTerms(terms: readonly NodeSelectorTerm[] | undefined, field: string): FieldError[] {
  if ((terms ?? []).length === 0) return [required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')];
  return each(terms, `${field}.nodeSelectorTerms`, validateNodeSelectorTerm);
}

function validateNodeSelectorTerm({ matchExpressions, matchFields }: NodeSelectorTerm, field: string): FieldError[] {
  return [
    ...each(matchExpressions, `${field}.matchExpressions`, (requirement, at) => [
      ...validateRequirement(requirement, at),
      ...invalids(`${at}.key`, requirement.key, isQualifiedName(requirement.key)),
    ]),
    ...each(matchFields, `${field}.matchFields`, ({ key, operator, values = [] }, at) => {
      const errors: FieldError[] = [];
      if (operator !== 'In' && operator !== 'NotIn') errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
      else if (values.length !== 1) errors.push(required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
      if (key !== 'metadata.name') errors.push(invalid(`${at}.key`, key, 'not a valid field selector key'));
      return errors;
    }),
  ];
}

function validateRequirement({ operator, values = [] }: NodeSelectorRequirement, field: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0
        ? [required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
        : values.flatMap((value, index) => invalids(`${field}.values[${index}]`, value, isLabelValue(value)));
    case 'Exists':
    case 'DoesNotExist':
      return values.length > 0 ? [forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")] : [];
    case 'Gt':
    case 'Lt':
      return values.length === 1 ? [] : [required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return [invalid(`${field}.operator`, operator, 'not a valid selector operator')];
  }
}

function validatePodAffinityTerm(term: PodAffinityTerm, field: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...each(term.namespaces, `${field}.namespaces`, (name, at) => invalids(at, name, isDNS1123Label(name))),
    ...validateKeysAndSelector(term, field),
  ];
  if (!term.topologyKey) return [...errors, required(`${field}.topologyKey`, 'can not be empty')];
  return [...errors, ...invalids(`${field}.topologyKey`, term.topologyKey, isQualifiedName(term.topologyKey))];
}

type KeysAndSelector = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

/** One requirement of a key in `matchLabelKeys` may be in the selector: the one it was merged into as. `own`: below `field`. */
function validateKeysAndSelector({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: KeysAndSelector, field: string, own = '.matchLabelKeys') {
  const known = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  const twice = (labelSelector?.matchExpressions ?? []).flatMap(({ key }) => {
    const before = known.has(key);
    known.add(key);
    return before
      ? matchLabelKeys.flatMap((named, i) => (named === key ? [invalid(`${field}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector')] : []))
      : [];
  });
  return [
    ...validateLabelKeys(matchLabelKeys, `${field}${own}`, labelSelector),
    ...validateLabelKeys(mismatchLabelKeys, `${field}.mismatchLabelKeys`, labelSelector),
    ...twice,
    ...each(matchLabelKeys, `${field}${own}`, (key, at) =>
      mismatchLabelKeys.includes(key) ? [invalid(at, key, 'exists in both matchLabelKeys and mismatchLabelKeys')] : [],
    ),
  ];
}

function validateLabelKeys(keys: readonly string[] | undefined, field: string, selector: PodAffinityTerm['labelSelector']): FieldError[] {
  if ((keys ?? []).length > 0 && !selector) return [forbidden(field, 'must not be specified when labelSelector is not set')];
  return each(keys, field, (key, at) => invalids(at, key, isQualifiedName(key)));
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export const validateTolerations = (tolerations: readonly Toleration[] | undefined, field: string): FieldError[] =>
  each(tolerations, field, ({ key, operator, value, effect, tolerationSeconds }, at) => {
    const errors = key ? invalids(`${at}.key`, key, isQualifiedName(key)) : [];
    if (!key && operator !== 'Exists') {
      errors.push(invalid(`${at}.operator`, operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"'));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalid(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (operator === undefined || operator === '' || operator === 'Equal') {
      errors.push(...invalids(`${at}.operator`, value ?? '', isLabelValue(value ?? '')));
    } else if (operator === 'Exists') {
      if (value) errors.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else if (operator === 'Lt' || operator === 'Gt') {
      if (!/^(0|-?[1-9][0-9]*)$/.test(value ?? '')) errors.push(invalid(`${at}.value`, value ?? '', 'must be a decimal integer'));
    } else errors.push(...optionalEnum(operator, `${at}.operator`, ['Equal', 'Exists']));
    return effect ? [...errors, ...optionalEnum(effect, `${at}.effect`, EFFECTS)] : errors;
  });

/** All old tolerations must still be there; only `tolerationSeconds` may differ. */
export function onlyAddsTolerations(now: readonly Toleration[] = [], before: readonly Toleration[] = []): boolean {
  const bare = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  return before.every((old) => now.some((each) => deepEqual(bare(each), bare(old))));
}

export function validateTopologySpread(constraints: readonly TopologySpreadConstraint[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(constraints, field, (constraint, at) => {
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    else errors.push(...invalids(`${at}.topologyKey`, topologyKey, isQualifiedName(topologyKey)));
    errors.push(...requiredEnum(whenUnsatisfiable, `${at}.whenUnsatisfiable`, ['DoNotSchedule', 'ScheduleAnyway']));
    const key = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(key)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, key));
    seen.add(key);
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        errors.push(invalid(`${at}.minDomains`, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`));
      }
    }
    return [
      ...errors,
      ...optionalEnum(constraint.nodeAffinityPolicy, `${at}.nodeAffinityPolicy`, ['Honor', 'Ignore']),
      ...optionalEnum(constraint.nodeTaintsPolicy, `${at}.nodeTaintsPolicy`, ['Honor', 'Ignore']),
      ...validateKeysAndSelector(constraint, `${at}.matchLabelKeys`, ''),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ];
  });
}
