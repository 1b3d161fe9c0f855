import type { FieldError } from '../field-error.js';
import type { LimitRange, LimitRangeItem } from '../generated/types.js';
import { compareQuantities } from '../quantity/arithmetic.js';
import { parseQuantity } from '../quantity/quantity.js';
import { own } from '../util/own.js';
import { duplicate, forbidden, invalid, required } from './errors.js';
import { isQualifiedName } from './names.js';
import { addContainerResourceName, addResourceName, mayOvercommit } from './resource-names.js';
import { addSyntax, type Sink } from './sink.js';

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
const TYPES = ['Container', 'PersistentVolumeClaim', 'Pod'];

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const sink: Sink = [];
  const types = new Set<string>();
  for (const [index, item] of (spec?.limits ?? []).entries()) {
    const path = `spec.limits[${index}]`;
    const { type = '' } = item;
    const wrong = isQualifiedName(type);
    addSyntax(sink, `${path}.type`, type, wrong);
    if (wrong.length === 0 && !type.includes('/') && !TYPES.includes(type)) {
      sink.push(invalid(`${path}.type`, type, 'must be a standard limit type or fully qualified'));
    }
    if (types.has(type)) sink.push(duplicate(`${path}.type`, type));
    types.add(type);
    addItem(sink, path, item, type);
  }
  return sink;
}

function addItem(sink: Sink, path: string, item: LimitRangeItem, type: string): void {
  const names = new Set<string>();
  for (const list of LISTS) {
    const amounts = item[list];
    if (!amounts) continue;
    if (type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(amounts).length > 0) sink.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const name of Object.keys(amounts)) {
      names.add(name);
      if (type === 'Pod' || type === 'Container') addContainerResourceName(sink, `${path}.${list}[${name}]`, name);
      else addResourceName(sink, `${path}.${list}[${name}]`, name);
    }
  }
  if (type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
    sink.push(required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  for (const name of [...names].sort()) addOrder(sink, path, item, name, type === 'Pod');
}

type Amount = string | undefined;

/** Minimum, default request, default limit and maximum follow each other. Which of the two is shown is upstream's choice. */
function addOrder(sink: Sink, path: string, item: LimitRangeItem, name: string, ofPod: boolean): void {
  const [min, max, ratio] = [own(item.min, name), own(item.max, name), own(item.maxLimitRequestRatio, name)];
  const [limit, request]: [Amount, Amount] = ofPod ? [undefined, undefined] : [own(item.default, name), own(item.defaultRequest, name)];
  const ordered = (low: Amount, high: Amount, at: string, shown: Amount, lowName: string, highName: string): void => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    sink.push(invalid(`${path}.${at}[${name}]`, shown, `${lowName} value ${low} is greater than ${highName} value ${high}`));
  };
  ordered(min, max, 'min', min, 'min', 'max');
  ordered(min, request, 'defaultRequest', request, 'min', 'default request');
  ordered(request, max, 'defaultRequest', request, 'default request', 'max');
  ordered(request, limit, 'defaultRequest', request, 'default request', 'default limit');
  ordered(min, limit, 'default', min, 'min', 'default');
  ordered(limit, max, 'default', max, 'default', 'max');
  addRatio(sink, `${path}.maxLimitRequestRatio[${name}]`, ratio, min, max);
  if (limit !== undefined && request !== undefined && !mayOvercommit(name) && compareQuantities(limit, request) !== 0) {
    sink.push(invalid(`${path}.defaultRequest[${name}]`, request, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`));
  }
}

/** How far a limit may be above a request: not less than equal, nor more than the bounds leave. */
function addRatio(sink: Sink, field: string, ratio: Amount, min: Amount, max: Amount): void {
  if (ratio === undefined) return;
  if (compareQuantities(ratio, '1') < 0) sink.push(invalid(field, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return;
  const amount = (quantity: string): number => Number(parseQuantity(quantity).nanos);
  const most = amount(max) / amount(min);
  if (amount(ratio) / 1e9 > most) sink.push(invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`));
}
