import type { DeviceClass, Pod } from '@coxswain/api';

/** On the claim that the scheduler makes for a pod's extended resources. */
export const EXTENDED_RESOURCE_CLAIM_ANNOTATION = 'resource.kubernetes.io/extended-resource-claim';
/** Every class can be asked for as a resource: this, and its name. */
export const DEVICE_CLASS_PREFIX = 'deviceclass.resource.kubernetes.io/';

/** Whether devices may stand for a resource of this name. */
export function mayBeDevices(name: string): boolean {
  if (name.startsWith(DEVICE_CLASS_PREFIX)) return true;
  const slash = name.indexOf('/');
  return slash > 0 && !name.slice(0, slash).endsWith('kubernetes.io') && !name.startsWith('requests.');
}

/** The class whose devices stand for a resource; of several with the same `extendedResourceName` the youngest, then the first by name. */
export function classOfResource(name: string, classes: Iterable<DeviceClass>): DeviceClass | undefined {
  let found: DeviceClass | undefined;
  for (const each of classes) {
    if (name.startsWith(DEVICE_CLASS_PREFIX) ? each.metadata.name !== name.slice(DEVICE_CLASS_PREFIX.length) : each.spec.extendedResourceName !== name)
      continue;
    if (!found || goesBefore(each, found)) found = each;
  }
  return found;
}

function goesBefore({ metadata: a }: DeviceClass, { metadata: b }: DeviceClass): boolean {
  const [made, other] = [Date.parse(a.creationTimestamp ?? '') || 0, Date.parse(b.creationTimestamp ?? '') || 0];
  return made === other ? (a.name ?? '') < (b.name ?? '') : made > other;
}

/** The claim behind the extended resources of a pod; undefined: no devices stand for them. */
export const extendedResourceClaimOf = ({ status }: Pod): string | undefined => status?.extendedResourceClaimStatus?.resourceClaimName;
