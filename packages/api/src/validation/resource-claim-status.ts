import type { FieldError } from '../field-error.js';
import type { ResourceClaim } from '../generated/types.js';
import { each, requiredText } from './common.js';
import { duplicate, forbidden, invalid, tooMany } from './errors.js';
import { immutable } from './object-meta.js';

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
  if (reserved.length > MAX_CONSUMERS) errors.push(tooMany('status.reservedFor', reserved.length, MAX_CONSUMERS));
  const { allocation } = status ?? {};
  if (allocation && old.status?.allocation) errors.push(...immutable(allocation, old.status.allocation, 'status.allocation'));
  else if (allocation) errors.push(...validateResults(allocation.devices?.results ?? [], spec.devices?.requests ?? []));
  if (reserved.length > 0 && !allocation) errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'));
  else if (metadata.deletionTimestamp && reserved.some(({ uid }) => !before.has(uid)))
    errors.push(forbidden('status.reservedFor', 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'));
  return errors;
}

type Results = NonNullable<NonNullable<NonNullable<ResourceClaim['status']>['allocation']>['devices']>['results'];
type Requests = NonNullable<NonNullable<ResourceClaim['spec']['devices']>['requests']>;

function validateResults(results: NonNullable<Results>, requests: Requests): FieldError[] {
  const field = 'status.allocation.devices.results';
  const known = new Set(requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]));
  return [
    ...(results.length > MAX_RESULTS ? [tooMany(field, results.length, MAX_RESULTS)] : []),
    ...each(results, field, ({ request, driver, pool, device }, at) => [
      ...(known.has(request)
        ? []
        : [invalid(`${at}.request`, request, "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'")]),
      ...requiredText(driver, `${at}.driver`),
      ...requiredText(pool, `${at}.pool`),
      ...requiredText(device, `${at}.device`),
    ]),
  ];
}
