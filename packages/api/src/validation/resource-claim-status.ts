import type { FieldError } from '../field-error.js';
import type { ResourceClaim } from '../generated/types.js';
import { driverName, each, requiredText } from './common.js';
import { validateBinding, validatePoolName, validateRaw, validateSet, validateSlice, validateToleration } from './device-parts.js';
import { duplicate, forbidden, invalid, tooLong, tooMany } from './errors.js';
import { parseCIDR } from './ip.js';
import { byteLength, isDNS1123Label } from './names.js';
import { immutable } from './object-meta.js';
import { requestNamesOf, validateRequestRef } from './resource.js';

const MAX_CONSUMERS = 256;
const MAX_RESULTS = 32;

/** Devices are given and taken back, never exchanged; only who has them may be using them. */
export function validateResourceClaimStatusUpdate({ metadata, spec, status }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const reserved = status?.reservedFor ?? [];
  const errors: FieldError[] = [];
  const uids = new Set<string>();
  const before = new Set((old.status?.reservedFor ?? []).map(({ uid }) => uid));
  errors.push(
    ...each(reserved, 'status.reservedFor', ({ resource, name, uid }, at) => {
      const found = [...requiredText(resource, `${at}.resource`), ...requiredText(name, `${at}.name`), ...requiredText(uid, `${at}.uid`)];
      if (uids.has(uid)) found.push(duplicate(at, uid));
      uids.add(uid);
      return found;
    }),
  );
  if (status) errors.push(...validateDevices(status));
  if (reserved.length > MAX_CONSUMERS) errors.push(tooMany('status.reservedFor', reserved.length, MAX_CONSUMERS));
  const { allocation } = status ?? {};
  if (allocation && old.status?.allocation) errors.push(...immutable(allocation, old.status.allocation, 'status.allocation'));
  else if (allocation) errors.push(...validateResults(allocation.devices?.results ?? [], spec.devices?.requests ?? []));
  if (reserved.length > 0 && !allocation) errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'));
  else if (metadata.deletionTimestamp && reserved.some(({ uid }) => !before.has(uid)))
    errors.push(forbidden('status.reservedFor', 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'));
  return errors;
}

const MAX_CONDITIONS = 8;
const MAX_ADDRESSES = 16;
const MAX_INTERFACE_NAME = 256;
const MAX_HARDWARE_ADDRESS = 128;

type DeviceStatus = NonNullable<NonNullable<ResourceClaim['status']>['devices']>[number];

const idOf = ({ driver, pool, device, shareID }: { driver: string; pool: string; device: string; shareID?: string }): string =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`;

/** What drivers say of devices that the claim has. */
function validateDevices({ devices, allocation }: NonNullable<ResourceClaim['status']>): FieldError[] {
  const allocated = new Set((allocation?.devices?.results ?? []).map(idOf));
  return validateSet(devices, Number.POSITIVE_INFINITY, 'status.devices', idOf, (each, at) => [
    ...driverName(each.driver, `${at}.driver`),
    ...validatePoolName(each.pool, `${at}.pool`),
    ...requiredText(each.device, `${at}.device`, isDNS1123Label),
    ...(allocated.has(idOf(each)) ? [] : [invalid(at, idOf(each), 'must be an allocated device in the claim')]),
    ...((each.conditions ?? []).length > MAX_CONDITIONS ? [tooMany(`${at}.conditions`, each.conditions?.length ?? 0, MAX_CONDITIONS)] : []),
    ...(each.data === undefined ? [] : validateRaw(each.data, `${at}.data`)),
    ...validateNetworkData(each.networkData, `${at}.networkData`),
  ]);
}

function validateNetworkData(data: DeviceStatus['networkData'], field: string): FieldError[] {
  if (!data) return [];
  const { interfaceName = '', hardwareAddress = '', ips } = data;
  return [
    ...(byteLength(interfaceName) > MAX_INTERFACE_NAME ? [tooLong(`${field}.interfaceName`, MAX_INTERFACE_NAME)] : []),
    ...(byteLength(hardwareAddress) > MAX_HARDWARE_ADDRESS ? [tooLong(`${field}.hardwareAddress`, MAX_HARDWARE_ADDRESS)] : []),
    ...validateSet(
      ips,
      MAX_ADDRESSES,
      `${field}.ips`,
      (address) => address,
      (address, at) => (parseCIDR(address) ? [] : [invalid(at, address, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')]),
    ),
  ];
}

type Results = NonNullable<NonNullable<NonNullable<ResourceClaim['status']>['allocation']>['devices']>['results'];
type Requests = NonNullable<NonNullable<ResourceClaim['spec']['devices']>['requests']>;

function validateResults(results: NonNullable<Results>, requests: Requests): FieldError[] {
  const field = 'status.allocation.devices.results';
  const names = requestNamesOf({ requests });
  return validateSlice(results, MAX_RESULTS, field, (result, at) => [
    ...validateRequestRef(result.request, `${at}.request`, names),
    ...driverName(result.driver, `${at}.driver`),
    ...validatePoolName(result.pool, `${at}.pool`),
    ...requiredText(result.device, `${at}.device`, isDNS1123Label),
    ...validateBinding(result, at),
    ...each(result.tolerations, `${at}.tolerations`, validateToleration),
    ...(result.shareID === undefined ? [] : validateUid(result.shareID, `${at}.shareID`)),
  ]);
}

const validateUid = (uid: string, field: string): FieldError[] =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uid)
    ? []
    : [invalid(field, uid, 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters')];
