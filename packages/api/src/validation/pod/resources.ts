import type { FieldError } from '../../field-error.js';
import type { ResourceRequirements } from '../../generated/types.js';
import { compareQuantities, isQuantity } from '../../quantity/arithmetic.js';
import { parseQuantity } from '../../quantity/quantity.js';
import { nonNegativeQuantity } from '../common.js';
import { duplicate, forbidden, invalid, invalids, notFound, required } from '../errors.js';
import { isDNS1123Label, isQualifiedName } from '../names.js';

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage']);
const HUGEPAGES = 'hugepages-';

/** Not of the kubernetes.io domain, so counted in whole units and never overcommitted. */
export const isExtendedResource = (name: string): boolean =>
  name.includes('/') && !name.split('/')[0]?.endsWith('kubernetes.io') && !name.startsWith('requests.');

const mayOvercommit = (name: string): boolean => !name.startsWith(HUGEPAGES) && !isExtendedResource(name);

/** `resources` of a container, or of a pod when `claims` is undefined. */
export function validateResources(resources: ResourceRequirements | undefined, field: string, claims?: ReadonlySet<string>): FieldError[] {
  if (!resources) return [];
  const { limits = {}, requests = {} } = resources;
  const errors: FieldError[] = [];
  for (const [name, quantity] of Object.entries(limits)) {
    errors.push(...validateEntry(name, quantity, `${field}.limits`));
  }
  for (const [name, quantity] of Object.entries(requests)) {
    errors.push(...validateEntry(name, quantity, `${field}.requests`));
    const limit = limits[name];
    if (limit === undefined) {
      if (!mayOvercommit(name)) errors.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
      continue;
    }
    if (!isQuantity(limit) || !isQuantity(quantity)) continue;
    const order = compareQuantities(quantity, limit);
    if (!mayOvercommit(name) && order !== 0) {
      errors.push(invalid(`${field}.requests`, quantity, `must be equal to ${name} limit of ${limit}`));
    } else if (order > 0) {
      errors.push(invalid(`${field}.requests`, quantity, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some((name) => name.startsWith(HUGEPAGES)) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(forbidden(field, 'HugePages require cpu or memory'));
  }
  return [...errors, ...validateClaims(resources, field, claims)];
}

function validateEntry(name: string, quantity: string, field: string): FieldError[] {
  const path = `${field}[${name}]`;
  const errors = validateResourceName(name, path);
  errors.push(...nonNegativeQuantity(quantity, path));
  if (isExtendedResource(name) && isQuantity(quantity) && parseQuantity(quantity).nanos % 1_000_000_000n !== 0n) {
    errors.push(invalid(path, quantity, 'must be an integer'));
  }
  return errors;
}

/** The name of a resource a container may ask for. */
export function validateResourceName(name: string, field: string): FieldError[] {
  const errors = invalids(field, name, isQualifiedName(name));
  if (errors.length > 0) return errors;
  if (!name.includes('/') && !STANDARD.has(name) && !name.startsWith(HUGEPAGES)) {
    return [invalid(field, name, 'must be a standard resource for containers')];
  }
  return [];
}

function validateClaims({ claims = [] }: ResourceRequirements, field: string, known: ReadonlySet<string> | undefined): FieldError[] {
  const seen = new Set<string>();
  return claims.flatMap(({ name, request = '' }, index) => {
    const path = `${field}.claims[${index}]`;
    if (!name) return [required(`${path}.name`)];
    const key = `${name}/${request}`;
    if (seen.has(key)) return [duplicate(path, name)];
    seen.add(key);
    if (known && !known.has(name)) return [notFound(path, name, 'must be one of the names in pod.spec.resourceClaims')];
    return request ? invalids(`${path}.request`, request, isDNS1123Label(request)) : [];
  });
}
