import type { FieldError } from '../field-error.js';
import type { LimitRange, ResourceQuota } from '../generated/types.js';
import { compareQuantities, isQuantity } from '../quantity/arithmetic.js';
import { parseQuantity } from '../quantity/quantity.js';
import { each, nonNegativeQuantity, requiredEnum } from './common.js';
import { duplicate, forbidden, invalid, invalids, required } from './errors.js';
import { isQualifiedName } from './names.js';
import { immutable } from './object-meta.js';
import { mayOvercommit } from './resource-names.js';

const SCOPES = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass'];
const COUNTED = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]);

/** Counts of objects, and resources that are not divisible. */
const isWhole = (name: string): boolean => !/(^|\.)(cpu|memory|storage|ephemeral-storage)$/.test(name) && !name.includes('hugepages-');

const EXISTING_ONLY = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'Terminating'];

/** Scopes choose pods, of best effort by their number alone, or claims of volumes. */
function scopeCovers(scope: string, name: string): boolean {
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
  if (scope === 'BestEffort') return name === 'pods';
  return name === 'pods' || /^((requests|limits)\.)?(cpu|memory)$/.test(name);
}

/** Amounts of what can be counted. */
const validateAmounts = (amounts: Readonly<Record<string, string>> | undefined, field: string): FieldError[] =>
  Object.entries(amounts ?? {}).flatMap(([name, quantity]) => {
    const path = `${field}[${name}]`;
    const found = invalids(path, name, isQualifiedName(name));
    if (found.length === 0 && !name.includes('/') && !COUNTED.has(name) && !/^(requests\.)?hugepages-/.test(name)) {
      found.push(invalid(path, name, 'must be a standard resource for quota'));
    }
    found.push(...nonNegativeQuantity(quantity, path));
    if (isWhole(name) && isQuantity(quantity) && parseQuantity(quantity).nanos % 1_000_000_000n !== 0n)
      found.push(invalid(path, quantity, 'must be an integer'));
    return found;
  });

export const validateResourceQuotaStatus = ({ status }: ResourceQuota): FieldError[] => [
  ...validateAmounts(status?.hard, 'status.hard'),
  ...validateAmounts(status?.used, 'status.used'),
];

export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  const errors = validateAmounts(spec?.hard, 'spec.hard');
  const counted = Object.keys(spec?.hard ?? {}).filter((name) => COUNTED.has(name));
  for (const scope of spec?.scopes ?? []) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', spec?.scopes, 'unsupported scope'));
    for (const name of counted) {
      if (!scopeCovers(scope, name)) errors.push(invalid('spec.scopes', spec?.scopes, 'unsupported scope applied to resource'));
    }
  }
  for (const [a, b] of [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ] as const) {
    if (spec?.scopes?.includes(a) && spec.scopes.includes(b)) errors.push(invalid('spec.scopes', spec.scopes, 'conflicting scopes'));
  }
  return [
    ...errors,
    ...each(spec?.scopeSelector?.matchExpressions, 'spec.scopeSelector.matchExpressions', ({ scopeName, operator, values = [] }, path) => {
      const found = requiredEnum(scopeName, `${path}.scopeName`, SCOPES);
      if (counted.some((name) => !scopeCovers(scopeName, name))) {
        found.push(invalid('spec.scopeSelector.matchExpressions', spec?.scopeSelector, 'unsupported scope applied to resource'));
      }
      if (operator !== 'Exists' && EXISTING_ONLY.includes(scopeName)) {
        found.push(
          invalid(
            `${path}.operator`,
            operator,
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
          ),
        );
      }
      if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)) {
        found.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
      } else if (operator.endsWith('In') !== values.length > 0) {
        found.push(
          operator.endsWith('In')
            ? required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
            : invalid(`${path}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"),
        );
      }
      return found;
    }),
  ];
}

export const validateResourceQuotaUpdate = ({ spec }: ResourceQuota, { spec: old }: ResourceQuota): FieldError[] =>
  immutable([...(spec?.scopes ?? [])].sort(), [...(old?.scopes ?? [])].sort(), 'spec.scopes');

/** How far a limit may be above a request: not less than equal, nor more than the bounds leave. */
function validateRatio(ratio: string | undefined, min: string | undefined, max: string | undefined, field: string): FieldError[] {
  if (ratio === undefined || !isQuantity(ratio)) return [];
  const errors = compareQuantities(ratio, '1') < 0 ? [invalid(field, ratio, `ratio ${ratio} is less than 1`)] : [];
  if (min === undefined || max === undefined || !isQuantity(min) || !isQuantity(max)) return errors;
  const amount = (quantity: string): number => Number(parseQuantity(quantity).nanos);
  const limit = amount(max) / amount(min);
  return amount(ratio) / 1e9 > limit ? [...errors, invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`)] : errors;
}

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const types = new Set<string>();
  return each(spec?.limits, 'spec.limits', (item, path) => {
    const errors: FieldError[] = [];
    if (!['Container', 'PersistentVolumeClaim', 'Pod'].includes(item.type) && !item.type.includes('/')) {
      errors.push(invalid(`${path}.type`, item.type, 'must be a standard limit type or fully qualified'));
    }
    if (types.has(item.type)) errors.push(duplicate(`${path}.type`, item.type));
    types.add(item.type);
    const { min = {}, max = {}, default: given = {}, defaultRequest = {}, maxLimitRequestRatio: ratios = {} } = item;
    if (item.type === 'Pod') {
      if (Object.keys(given).length > 0) errors.push(forbidden(`${path}.default`, "may not be specified when `type` is 'Pod'"));
      if (Object.keys(defaultRequest).length > 0) errors.push(forbidden(`${path}.defaultRequest`, "may not be specified when `type` is 'Pod'"));
    }
    const ordered = (low: string | undefined, high: string | undefined, at: string, detail: string): void => {
      if (low !== undefined && high !== undefined && isQuantity(low) && isQuantity(high) && compareQuantities(low, high) > 0) {
        errors.push(invalid(at, low, detail));
      }
    };
    for (const name of new Set([min, max, given, defaultRequest, ratios].flatMap((list) => Object.keys(list)).sort())) {
      const [least, most, normal, asked] = [min[name], max[name], given[name], defaultRequest[name]];
      ordered(least, most, `${path}.min[${name}]`, `min value ${least} is greater than max value ${most}`);
      ordered(least, asked, `${path}.defaultRequest[${name}]`, `min value ${least} is greater than default request value ${asked}`);
      ordered(asked, most, `${path}.defaultRequest[${name}]`, `default request value ${asked} is greater than max value ${most}`);
      ordered(asked, normal, `${path}.defaultRequest[${name}]`, `default request value ${asked} is greater than default limit value ${normal}`);
      ordered(least, normal, `${path}.default[${name}]`, `min value ${least} is greater than default value ${normal}`);
      ordered(normal, most, `${path}.default[${name}]`, `default value ${normal} is greater than max value ${most}`);
      errors.push(...validateRatio(ratios[name], least, most, `${path}.maxLimitRequestRatio[${name}]`));
      if (asked !== undefined && normal !== undefined && !mayOvercommit(name) && compareQuantities(asked, normal) !== 0) {
        const detail = `default value ${normal} must equal to defaultRequest value ${asked} in ${name}`;
        errors.push(invalid(`${path}.defaultRequest[${name}]`, asked, detail));
      }
    }
    if (item.type === 'PersistentVolumeClaim' && min.storage === undefined && max.storage === undefined) {
      errors.push(required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
    }
    return errors;
  });
}
