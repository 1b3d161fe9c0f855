import type { FieldError } from '../../field-error.js';
import type { PodSpec, ResourceRequirements } from '../../generated/types.js';
import { compareQuantities, isQuantity } from '../../quantity/arithmetic.js';
import { aggregateOf } from '../../pod/aggregate.js';
import { parseQuantity } from '../../quantity/quantity.js';
import { own } from '../../util/own.js';
import { duplicate, forbidden, invalid, notFound, required } from '../errors.js';
import { isDNS1123Label } from '../names.js';
import { addContainerResourceName, addPodResourceName, addQuantity, isHugePages, mayOvercommit } from '../resource-names.js';
import { addSyntax, type Sink } from '../sink.js';

/** `resources` of a container; `claims` are its pod's. */
export function addResources(sink: Sink, field: string, resources: ResourceRequirements | undefined, claims: ReadonlySet<string>, anyHugePages = false): void {
  if (!resources) return;
  addAmounts(sink, field, resources, addContainerResourceName, anyHugePages);
  addClaims(sink, `${field}.claims`, resources, claims);
}

export function validateResources(resources: ResourceRequirements | undefined, field: string, claims: ReadonlySet<string>): FieldError[] {
  const sink: Sink = [];
  addResources(sink, field, resources, claims);
  return sink;
}

/** What every pod of a class takes beside its containers. */
export const addOverhead = (sink: Sink, field: string, overhead: Readonly<Record<string, string>>, anyHugePages: boolean): void =>
  addAmounts(sink, field, { limits: overhead }, addContainerResourceName, anyHugePages);

/** What a pod as a whole may use: no less than its containers ask for together, and no less than one of them may. */
export function addPodResources(sink: Sink, field: string, spec: PodSpec, anyHugePages: boolean): void {
  const { resources } = spec;
  if (!resources) return;
  if (spec.os?.name === 'windows') return void sink.push(forbidden(field, 'may not be set for a windows pod'));
  if (resources.claims) sink.push(forbidden(`${field}.claims`, 'claims may not be set for Resources at pod-level'));
  addAmounts(sink, field, resources, addPodResourceName, anyHugePages);
  addClaims(sink, `${field}.claims`, resources, new Set((spec.resourceClaims ?? []).map(({ name }) => name)));
  const { limits = {}, requests = {} } = resources;
  const falls = (name: string, of: Readonly<Record<string, string>>, which: 'requests' | 'limits') => {
    const [given, together] = [own(of, name), aggregateOf(spec, which, name)];
    if (given === undefined || together === undefined || compareQuantities(given, together) >= 0) return;
    sink.push(invalid(`${field}.${which}[${name}]`, given, `must be greater than or equal to aggregate container ${which} of ${together}`));
  };
  for (const name of Object.keys(requests).sort()) falls(name, requests, 'requests');
  for (const name of Object.keys(limits).sort()) if (isHugePages(name)) falls(name, limits, 'limits');
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {}).sort()) {
      const most = own(limits, name);
      if (most === undefined || !isQuantity(limit) || compareQuantities(limit, most) <= 0) continue;
      sink.push(invalid(`${field}.containers[${index}][${name}].limits`, limit, `must be less than or equal to pod limits of ${most}`));
    }
  }
}

type NameCheck = (sink: Sink, field: string, name: string) => void;

function addAmounts(sink: Sink, field: string, { limits, requests }: ResourceRequirements, checkName: NameCheck, anyHugePages: boolean): void {
  let huge = false;
  let computes = false;
  const add = (at: string, name: string, quantity: string): void => {
    checkName(sink, at, name);
    addQuantity(sink, at, name, quantity);
    computes ||= name === 'cpu' || name === 'memory';
    if (!isHugePages(name)) return;
    huge = true;
    if (!anyHugePages && indivisibleHugePages(name, quantity)) sink.push(invalid(at, quantity, `${quantity} is not positive integer multiple of ${name}`));
  };
  for (const name in limits) add(`${field}.limits[${name}]`, name, limits[name] as string);
  for (const name in requests) {
    const quantity = requests[name] as string;
    add(`${field}.requests[${name}]`, name, quantity);
    const limit = own(limits, name);
    if (limit === undefined) {
      if (!mayOvercommit(name)) sink.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
      continue;
    }
    if (limit === quantity) continue;
    const order = compareQuantities(quantity, limit);
    if (order !== 0 && !mayOvercommit(name)) sink.push(invalid(`${field}.requests`, quantity, `must be equal to ${name} limit of ${limit}`));
    else if (order > 0) sink.push(invalid(`${field}.requests`, quantity, `must be less than or equal to ${name} limit of ${limit}`));
  }
  if (huge && !computes) sink.push(forbidden(field, 'HugePages require cpu or memory'));
}

const UNIT = 1_000_000_000n;

/** Pages are given out whole. */
export function indivisibleHugePages(name: string, quantity: string): boolean {
  if (!isHugePages(name)) return false;
  const size = name.slice('hugepages-'.length);
  if (!isQuantity(size)) return true;
  const { nanos } = parseQuantity(size);
  return nanos <= 0n || nanos % UNIT !== 0n || parseQuantity(quantity).nanos % nanos !== 0n;
}

function addClaims(sink: Sink, field: string, { claims }: ResourceRequirements, known: ReadonlySet<string>): void {
  if (!claims) return;
  const names = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const at = `${field}[${index}]`;
    if (!name) {
      sink.push(required(at));
      continue;
    }
    if (names.has(name)) sink.push(duplicate(at, name));
    else {
      const key = request ? `${name}/${request}` : name;
      if (request) addSyntax(sink, `${at}.request`, request, isDNS1123Label(request));
      if (names.has(key)) sink.push(duplicate(at, key));
      else if (!request) for (const other of names) if (other.startsWith(`${name}/`)) sink.push(duplicate(at, name));
      names.add(key);
    }
    if (known.has(name)) continue;
    const which = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
    sink.push(notFound(at, name, `must be one of the names in pod.spec.resourceClaims${which}`));
  }
}
