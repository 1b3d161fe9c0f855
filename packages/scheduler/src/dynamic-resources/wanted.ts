import type { DeviceClass, DeviceConstraint, DeviceRequest, DeviceSelector, DeviceToleration, ExactDeviceRequest, ResourceClaim } from '@coxswain/api';
import type { CapacityRequests } from './consumption.js';

/** Devices an allocation of one claim has at most. */
export const MAX_DEVICES = 32;

/** Something is wrong with a claim or a class, on whatever node. */
export class ClaimError extends Error {
  override readonly name = 'ClaimError';
}

/** One way to satisfy a request: the request itself, or one of its `firstAvailable`. */
export interface Alternative {
  /** As results and configurations name it: `request` or `request/subrequest`. */
  readonly name: string;
  readonly request: string;
  readonly class: DeviceClass;
  readonly selectors: readonly DeviceSelector[];
  /** Undefined: all there are. */
  readonly count: number | undefined;
  /** Of each device. */
  readonly capacity: CapacityRequests;
  readonly adminAccess: boolean;
  readonly tolerations: readonly DeviceToleration[];
}

export interface WantedClaim {
  readonly claim: ResourceClaim;
  /** By request: in the order they are preferred in. */
  readonly requests: readonly (readonly Alternative[])[];
  readonly constraints: readonly DeviceConstraint[];
}

export const claimName = ({ metadata }: ResourceClaim): string => `${metadata.namespace}/${metadata.name}`;

/** What a claim asks for, checked. Throws `ClaimError` for what cannot be served here. `classOf` throws for a class that does not exist. */
export function wantedClaim(claim: ResourceClaim, classOf: (name: string, request: string) => DeviceClass): WantedClaim {
  const { requests, constraints = [] } = claim.spec.devices ?? {};
  const refuse = (request: string, why: string): never => {
    throw new ClaimError(`claim ${claimName(claim)}, request ${request}: ${why}`);
  };
  const alternative = (of: ExactDeviceRequest, name: string, { name: request }: DeviceRequest): Alternative => {
    if (!of.deviceClassName) refuse(name, 'missing device class name (unsupported request type?)');
    if (of.allocationMode !== 'ExactCount' && of.allocationMode !== 'All') refuse(name, `unsupported count mode ${of.allocationMode}`);
    for (const [i, { cel }] of (of.selectors ?? []).entries()) if (!cel) refuse(name, `selector #${i}: CEL expression empty (unsupported selector type?)`);
    return {
      name,
      request,
      class: classOf(of.deviceClassName, name),
      selectors: of.selectors ?? [],
      count: of.allocationMode === 'All' ? undefined : (of.count ?? 1),
      capacity: of.capacity?.requests ?? {},
      adminAccess: of.adminAccess ?? false,
      tolerations: of.tolerations ?? [],
    };
  };
  for (const [i, { matchAttribute, distinctAttribute }] of constraints.entries())
    if (!matchAttribute && !distinctAttribute)
      throw new ClaimError(`claim ${claimName(claim)}, constraint #${i}: empty constraint (unsupported constraint type?)`);
  const wanted = (requests ?? []).map((request) => {
    if (request.exactly) return [alternative(request.exactly, request.name, request)];
    if (!request.firstAvailable?.length) refuse(request.name, 'unsupported request type');
    return (request.firstAvailable ?? []).map((sub) => alternative(sub, `${request.name}/${sub.name}`, request));
  });
  const least = wanted.reduce((sum, of) => sum + Math.min(...of.map((a) => a.count ?? 1)), 0);
  if (least > MAX_DEVICES) throw new ClaimError(`claim ${claimName(claim)}: number of requested devices ${least} exceeds the claim limit of ${MAX_DEVICES}`);
  return { claim, requests: wanted, constraints };
}
