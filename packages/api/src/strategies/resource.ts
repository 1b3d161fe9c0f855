import type { ResourceStrategy, StrategyContext } from '../definition.js';
import { defaultResourceClaim, defaultResourceClaimTemplate } from '../defaults/extensions.js';
import type { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from '../generated/types.js';
import { validateDeviceClass, validateResourceClaim, validateResourceClaimTemplate } from '../validation/resource.js';
import { validateResourceSlice } from '../validation/resource-slice.js';
import { validateResourceClaimStatusUpdate } from '../validation/resource-claim-status.js';
import { immutable } from '../validation/object-meta.js';
import type { StrategyParts } from './lifecycle.js';

export const deviceClassStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validateDeviceClass(object as DeviceClass),
};

export const resourceClaimStrategy: StrategyParts = {
  default: (object) => defaultResourceClaim(object as ResourceClaim),
  validate: (object) => validateResourceClaim(object as ResourceClaim),
  validateUpdate: (object, old) => immutable(object.spec, old.spec, 'spec'),
};

export const resourceClaimStatusStrategy: ResourceStrategy = {
  prepareForUpdate: (object, old) => dropDeallocated(object as ResourceClaim, old as ResourceClaim),
  validateUpdate: (object, old) => validateResourceClaimStatusUpdate(object as ResourceClaim, old as ResourceClaim),
};

export const resourceClaimTemplateStrategy: StrategyParts = {
  default: (object) => defaultResourceClaimTemplate(object as ResourceClaimTemplate),
  validate: (object) => validateResourceClaimTemplate(object as ResourceClaimTemplate),
  validateUpdate: (object, old) => immutable(object.spec, old.spec, 'spec'),
};

export const resourceSliceStrategy: StrategyParts = {
  generationOf: ['spec'],
  prepareForCreate: (object, context) => stampTaints(object as ResourceSlice, undefined, context),
  prepareForUpdate: (object, old, context) => stampTaints(object as ResourceSlice, old as ResourceSlice, context),
  validate: (object) => validateResourceSlice(object as ResourceSlice),
  validateUpdate: (object, old) => [
    ...immutable(object.spec?.driver, old.spec?.driver, 'spec.driver'),
    ...immutable(object.spec?.pool?.name, old.spec?.pool?.name, 'spec.pool.name'),
    ...immutable(object.spec?.nodeName, old.spec?.nodeName, 'spec.nodeName'),
  ],
};

const deviceKey = ({ driver, pool, device, shareID = '' }: { driver: string; pool: string; device: string; shareID?: string }) =>
  [driver, pool, device, shareID].join('/');

/** What drivers said of a device goes with the device. */
function dropDeallocated({ status }: ResourceClaim, old: ResourceClaim): void {
  if (!status?.devices) return;
  const kept = new Set((status.allocation?.devices?.results ?? []).map(deviceKey));
  const gone = new Set((old.status?.allocation?.devices?.results ?? []).map(deviceKey).filter((key) => !kept.has(key)));
  status.devices = status.devices.filter((device) => !gone.has(deviceKey(device)));
  if (status.devices.length === 0) delete status.devices;
}

/** A taint says since when it is there: since now, unless it was there before. */
function stampTaints({ spec }: ResourceSlice, old: ResourceSlice | undefined, { now }: StrategyContext): void {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  for (const { name, taints = [] } of spec?.devices ?? []) {
    const before = old?.spec.devices?.find((device) => device.name === name)?.taints ?? [];
    for (const taint of taints)
      taint.timeAdded ??= before.find(({ key, value, effect }) => key === taint.key && value === taint.value && effect === taint.effect)?.timeAdded ?? time;
  }
}
