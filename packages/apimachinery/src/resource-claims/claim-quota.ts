import { addQuantities, compareQuantities, type DeviceClass, type Pod, type ResourceClaim, subtractQuantities } from '@coxswain/api';
import { DEVICE_CLASS_PREFIX, EXTENDED_RESOURCE_CLAIM_ANNOTATION } from './extended-resources.js';

/** After the name of a class: the quota for devices of that class. */
export const DEVICES_OF_CLASS = '.deviceclass.resource.k8s.io/devices';
/** Most devices that a claim can be given. */
const MOST_DEVICES = 32;

interface Request {
  readonly deviceClassName?: string;
  readonly allocationMode?: string;
  readonly count?: number;
}

export interface ClaimQuotaOptions {
  readonly classes: Iterable<DeviceClass>;
  /** What the pod whose extended resources the claim stands for counts of `requests.…` already; undefined: it is no such claim. */
  readonly ofPod: ((name: string) => string | undefined) | undefined;
}

/** What a ResourceClaim takes, by the names quotas limit it under: the claim, devices of each class, and the extended resources these stand for. */
export function claimQuotaUsage(claim: ResourceClaim, { classes, ofPod }: ClaimQuotaOptions): Record<string, string> {
  const usage: Record<string, string> = { 'count/resourceclaims.resource.k8s.io': '1' };
  const devices = new Map<string, number>();
  for (const { exactly, firstAvailable } of claim.spec.devices?.requests ?? [])
    for (const [name, count] of mostOf(firstAvailable?.length ? firstAvailable : exactly ? [exactly] : [])) devices.set(name, (devices.get(name) ?? 0) + count);
  const resources = new Map([...classes].map(({ metadata, spec }) => [metadata.name ?? '', spec.extendedResourceName]));
  for (const [name, count] of devices) {
    usage[`${name}${DEVICES_OF_CLASS}`] = String(count);
    const resource = resources.get(name);
    // The class's own name for it counts where the class stands for a resource.
    for (const extended of resource ? [DEVICE_CLASS_PREFIX + name, resource] : []) {
      const key = `requests.${extended}`;
      const rest = subtractQuantities(addQuantities(usage[key] ?? '0', String(count)), ofPod?.(key) ?? '0');
      if (compareQuantities(rest, '0') > 0) usage[key] = rest;
    }
  }
  return usage;
}

/** Of alternatives, the most devices of each class that may be given. */
function mostOf(requests: readonly Request[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const { deviceClassName = '', allocationMode, count = 1 } of requests) {
    const devices = allocationMode === 'All' ? MOST_DEVICES : count;
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
  }
  return most;
}

/** The name of the pod that a claim for extended resources was made for; undefined for other claims. */
export function podOfExtendedClaim({ metadata }: ResourceClaim): string | undefined {
  if (metadata.annotations?.[EXTENDED_RESOURCE_CLAIM_ANNOTATION] !== 'true') return undefined;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  return owner?.kind === 'Pod' && owner.apiVersion === 'v1' ? owner.name : undefined;
}

/** Whether the pod counts what this claim stands for: it owns the claim, and says no other name. */
export function countsForClaim(pod: Pod | undefined, { metadata }: ResourceClaim): pod is Pod {
  if (!pod || !metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === pod.metadata.uid)) return false;
  const named = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return named === undefined || named === metadata.name;
}
