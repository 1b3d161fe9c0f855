import type { FieldError } from '../../field-error.js';
import type { Container, PodSpec, ResourceRequirements } from '../../generated/types.js';
import { addQuantities, compareQuantities, isQuantity } from '../../quantity/arithmetic.js';
import { parseQuantity } from '../../quantity/quantity.js';
import { nonNegativeQuantity } from '../common.js';
import { duplicate, forbidden, invalid, invalids, notFound, notSupported, required } from '../errors.js';
import { isDNS1123Label, isQualifiedName } from '../names.js';

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage']);
const HUGEPAGES = 'hugepages-';

/** Not of the kubernetes.io domain, so counted in whole units and never overcommitted. */
export const isExtendedResource = (name: string): boolean =>
  name.includes('/') && !name.split('/')[0]?.endsWith('kubernetes.io') && !name.startsWith('requests.');

export const mayOvercommit = (name: string): boolean => !name.startsWith(HUGEPAGES) && !isExtendedResource(name);

/** `resources` of a container; `claims` are its pod's. */
export function validateResources(resources: ResourceRequirements | undefined, field: string, claims: ReadonlySet<string>): FieldError[] {
  if (!resources) return [];
  return [...validateAmounts(resources, field, validateResourceName), ...validateClaims(resources, field, claims)];
}

/** What a pod as a whole may use: no less than its containers ask for together, and no less than one of them may. */
export function validatePodResources(spec: PodSpec, field: string): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  const errors: FieldError[] = [];
  if ((resources.claims ?? []).length > 0) errors.push(forbidden(`${field}.claims`, 'claims may not be set for Resources at pod-level'));
  errors.push(...validateAmounts(resources, field, validatePodResourceName));
  if (errors.length > 0) return errors;
  const { limits = {}, requests = {} } = resources;
  const falls = (name: string, of: Readonly<Record<string, string>>, which: 'requests' | 'limits') => {
    const [given, together] = [of[name], aggregate(spec, which, name)];
    if (given === undefined || together === undefined || compareQuantities(given, together) >= 0) return;
    errors.push(invalid(`${field}.${which}[${name}]`, given, `must be greater than or equal to aggregate container ${which} of ${together}`));
  };
  for (const name of Object.keys(requests).sort()) falls(name, requests, 'requests');
  for (const name of Object.keys(limits).sort()) if (name.startsWith(HUGEPAGES)) falls(name, limits, 'limits');
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {}).sort()) {
      const most = limits[name];
      if (most !== undefined && isQuantity(limit) && compareQuantities(limit, most) > 0)
        errors.push(invalid(`${field}.containers[${index}][${name}].limits`, limit, `must be less than or equal to pod limits of ${most}`));
    }
  }
  return errors;
}

/** What the containers ask for at most at one time: all that stay, or while one of the others starts the pod. Undefined: nothing. */
function aggregate(spec: PodSpec, which: 'requests' | 'limits', name: string): string | undefined {
  const amount = ({ resources }: Container) => resources?.[which]?.[name];
  const add = (a: string | undefined, b: string | undefined) => (a === undefined || b === undefined ? (a ?? b) : addQuantities(a, b));
  const larger = (a: string | undefined, b: string | undefined) => (a === undefined || b === undefined ? (a ?? b) : compareQuantities(a, b) < 0 ? b : a);
  let sidecars: string | undefined;
  let peak: string | undefined;
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars = add(sidecars, amount(container));
    peak = larger(peak, container.restartPolicy === 'Always' ? sidecars : add(sidecars, amount(container)));
  }
  return larger((spec.containers ?? []).map(amount).reduce(add, sidecars), peak);
}

function validateAmounts({ limits = {}, requests = {} }: ResourceRequirements, field: string, checkName: typeof validateResourceName): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, quantity] of Object.entries(limits)) {
    errors.push(...validateEntry(name, quantity, `${field}.limits`, checkName));
  }
  for (const [name, quantity] of Object.entries(requests)) {
    errors.push(...validateEntry(name, quantity, `${field}.requests`, checkName));
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
  return errors;
}

function validateEntry(name: string, quantity: string, field: string, checkName: typeof validateResourceName): FieldError[] {
  const path = `${field}[${name}]`;
  const errors = checkName(name, path);
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

function validatePodResourceName(name: string, field: string): FieldError[] {
  const errors = invalids(field, name, isQualifiedName(name));
  if (errors.length > 0 || name === 'cpu' || name === 'memory' || name.startsWith(HUGEPAGES)) return errors;
  return [notSupported(field, name, ['cpu', HUGEPAGES, 'memory'])];
}

function validateClaims({ claims = [] }: ResourceRequirements, field: string, known: ReadonlySet<string>): FieldError[] {
  const seen = new Set<string>();
  return claims.flatMap(({ name, request = '' }, index) => {
    const path = `${field}.claims[${index}]`;
    if (!name) return [required(`${path}.name`)];
    const key = `${name}/${request}`;
    if (seen.has(key)) return [duplicate(path, name)];
    seen.add(key);
    if (!known.has(name)) return [notFound(path, name, 'must be one of the names in pod.spec.resourceClaims')];
    return request ? invalids(`${path}.request`, request, isDNS1123Label(request)) : [];
  });
}
