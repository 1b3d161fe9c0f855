import { compareQuantities } from '../quantity/arithmetic.js';
import { parseQuantity } from '../quantity/quantity.js';
import { NEGATIVE } from './common.js';
import { invalid, notSupported } from './errors.js';
import { isQualifiedName } from './names.js';
import { addSyntax, type Sink } from './sink.js';

const HUGEPAGES = 'hugepages-';
const OF_CONTAINERS: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const OBJECT_COUNTS: ReadonlySet<string> = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const OF_QUOTAS: ReadonlySet<string> = new Set([
  ...OF_CONTAINERS,
  ...OBJECT_COUNTS,
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]);

export const isHugePages = (name: string): boolean => name.startsWith(HUGEPAGES);

/** Kubernetes' own, by its domain or by having none. */
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Of somebody else's domain, so counted in whole units and never overcommitted. */
export const isExtendedResource = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;

export const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);

/** Counted by quotas. */
export const isQuotaResource = (name: string): boolean => OF_QUOTAS.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');

/** Any resource: a standard one, or of somebody's domain. False when wrong. */
export function addResourceName(sink: Sink, field: string, name: string): boolean {
  if (OF_CONTAINERS.has(name)) return true;
  const wrong = isQualifiedName(name);
  addSyntax(sink, field, name, wrong);
  if (wrong.length > 0) return false;
  if (name.includes('/') || isQuotaResource(name) || name === 'storage') return true;
  sink.push(invalid(field, name, 'must be a standard resource type or fully qualified'));
  return false;
}

/** One that a container may ask for. */
export function addContainerResourceName(sink: Sink, field: string, name: string): void {
  if (OF_CONTAINERS.has(name)) return;
  addResourceName(sink, field, name);
  if (isHugePages(name)) return;
  if (!name.includes('/')) sink.push(invalid(field, name, 'must be a standard resource for containers'));
  else if (!isNative(name) && !isExtendedResource(name)) sink.push(invalid(field, name, "doesn't follow extended resource name standard"));
}

/** One that a pod as a whole may ask for. */
export function addPodResourceName(sink: Sink, field: string, name: string): void {
  if (name === 'cpu' || name === 'memory') return;
  if (addResourceName(sink, field, name) && !isHugePages(name)) sink.push(notSupported(field, name, ['cpu', HUGEPAGES, 'memory']));
}

/** One that a quota counts. */
export function addQuotaResourceName(sink: Sink, field: string, name: string): void {
  addResourceName(sink, field, name);
  if (!name.includes('/') && !isQuotaResource(name)) sink.push(invalid(field, name, 'must be a standard resource for quota'));
}

/** An amount of a resource: not negative, and whole where there are no parts of it. */
export function addQuantity(sink: Sink, field: string, name: string, quantity: string): void {
  if (quantity.startsWith('-') && compareQuantities(quantity, '0') < 0) sink.push(invalid(field, quantity, NEGATIVE));
  const whole = OBJECT_COUNTS.has(name) || (name.includes('/') && isExtendedResource(name));
  if (whole && parseQuantity(quantity).nanos % 1_000_000_000n !== 0n) sink.push(invalid(field, quantity, 'must be an integer'));
}
