import type { FieldError } from '../field-error.js';
import type {
  DeviceClaim,
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../generated/types.js';
import { each, requiredEnum, requiredText, unique } from './common.js';
import { duplicate, invalid, notFound, required, tooMany } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from './names.js';

const MAX_REQUESTS = 32;
const MAX_DEVICES = 128;

export const validateResourceClaim = ({ spec }: ResourceClaim): FieldError[] => validateDeviceClaim(spec?.devices, 'spec.devices');

export const validateResourceClaimTemplate = ({ spec }: ResourceClaimTemplate): FieldError[] => validateDeviceClaim(spec?.spec?.devices, 'spec.spec.devices');

function validateDeviceClaim(claim: DeviceClaim | undefined, field: string): FieldError[] {
  const requests = claim?.requests ?? [];
  const names = new Set(requests.map(({ name }) => name));
  const errors: FieldError[] = requests.length > MAX_REQUESTS ? [tooMany(`${field}.requests`, requests.length, MAX_REQUESTS)] : [];
  const known = (request: string, path: string): FieldError[] =>
    names.has(request.split('/')[0] ?? '')
      ? []
      : [invalid(path, request, "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'")];
  return [
    ...errors,
    ...unique(
      requests,
      ({ name }) => name,
      (index) => `${field}.requests[${index}].name`,
    ),
    ...each(requests, `${field}.requests`, validateRequest),
    ...each(claim?.constraints, `${field}.constraints`, ({ requests: named, matchAttribute, distinctAttribute }, path) => [
      ...each(named, `${path}.requests`, known),
      ...(matchAttribute || distinctAttribute ? [] : [required(`${path}.matchAttribute`)]),
    ]),
    ...each(claim?.config, `${field}.config`, ({ requests: named, opaque }, path) => [
      ...each(named, `${path}.requests`, known),
      ...(opaque
        ? [...requiredText(opaque.driver, `${path}.opaque.driver`, isDNS1123Subdomain), ...(opaque.parameters ? [] : [required(`${path}.opaque.parameters`)])]
        : [required(`${path}.opaque`)]),
    ]),
  ];
}

function validateRequest({ name, exactly, firstAvailable }: DeviceRequest, field: string): FieldError[] {
  const errors = requiredText(name, `${field}.name`, isDNS1123Label);
  if (exactly && firstAvailable)
    return [...errors, invalid(field, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')];
  if (!exactly && !firstAvailable) return [...errors, required(field, 'exactly one of `exactly` or `firstAvailable` is required')];
  if (exactly) errors.push(...validateExact(exactly, `${field}.exactly`));
  return [
    ...errors,
    ...unique(
      firstAvailable ?? [],
      (each) => each.name,
      (index) => `${field}.firstAvailable[${index}].name`,
    ),
    ...each(firstAvailable, `${field}.firstAvailable`, (request, path) => [
      ...requiredText(request.name, `${path}.name`, isDNS1123Label),
      ...validateExact(request, path),
    ]),
  ];
}

function validateExact({ deviceClassName, allocationMode, count, selectors }: ExactDeviceRequest | DeviceSubRequest, field: string): FieldError[] {
  const errors = [
    ...requiredText(deviceClassName, `${field}.deviceClassName`, isDNS1123Subdomain),
    ...requiredEnum(allocationMode, `${field}.allocationMode`, ['All', 'ExactCount']),
    ...validateSelectors(selectors, `${field}.selectors`),
  ];
  if (allocationMode === 'ExactCount' && (count ?? 0) <= 0) errors.push(invalid(`${field}.count`, count ?? 0, 'must be greater than zero'));
  if (allocationMode === 'All' && count) errors.push(invalid(`${field}.count`, count, "must not be specified when allocationMode is 'All'"));
  return errors;
}

const validateSelectors = (selectors: readonly DeviceSelector[] | undefined, field: string): FieldError[] =>
  each(selectors, field, ({ cel }, path) => (cel ? requiredText(cel.expression, `${path}.cel.expression`) : [required(`${path}.cel`)]));

export const validateDeviceClass = ({ spec }: DeviceClass): FieldError[] => validateSelectors(spec?.selectors, 'spec.selectors');

export function validateResourceSlice({ spec }: ResourceSlice): FieldError[] {
  const errors = [...requiredText(spec.driver, 'spec.driver', isDNS1123Subdomain), ...requiredText(spec.pool?.name, 'spec.pool.name')];
  const places = [spec.nodeName, spec.nodeSelector, spec.allNodes, spec.perDeviceNodeSelection].filter(Boolean);
  if (places.length === 0) errors.push(required('spec', 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'));
  if (places.length > 1)
    errors.push(
      invalid('spec', null, 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set'),
    );
  if ((spec.pool?.resourceSliceCount ?? 0) <= 0)
    errors.push(invalid('spec.pool.resourceSliceCount', spec.pool?.resourceSliceCount ?? 0, 'must be greater than zero'));
  if ((spec.devices ?? []).length > MAX_DEVICES) errors.push(tooMany('spec.devices', spec.devices?.length ?? 0, MAX_DEVICES));
  const names = new Set<string>();
  const counters = new Set((spec.sharedCounters ?? []).map(({ name }) => name));
  return [
    ...errors,
    ...each(spec.devices, 'spec.devices', ({ name, consumesCounters }, path) => {
      const found = requiredText(name, `${path}.name`, isDNS1123Label);
      if (names.has(name)) found.push(duplicate(`${path}.name`, name));
      names.add(name);
      if (counters.size === 0) return found;
      return [
        ...found,
        ...each(consumesCounters, `${path}.consumesCounters`, ({ counterSet }, at) =>
          counters.has(counterSet) ? [] : [notFound(`${at}.counterSet`, counterSet)],
        ),
      ];
    }),
  ];
}
