import type { FieldError } from '../field-error.js';
import type {
  CapacityRequestPolicyRange,
  Device,
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
import { parseQuantity } from '../quantity/quantity.js';
import { each, requiredEnum, requiredText, unique } from './common.js';
import { duplicate, forbidden, invalid, notFound, required, tooMany } from './errors.js';
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
    ...each(spec.devices, 'spec.devices', ({ name, consumesCounters, ...device }, path) => {
      const found = [...requiredText(name, `${path}.name`, isDNS1123Label), ...validateCapacities(device, path), ...validateBinding(device, path)];
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

const MAX_BINDING_CONDITIONS = 4;
const MAX_VALID_VALUES = 10;

/** Conditions that a driver meets before a pod is bound; both lists, or neither. */
function validateBinding({ bindingConditions = [], bindingFailureConditions = [] }: Partial<Device>, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, list] of Object.entries({ bindingConditions, bindingFailureConditions }))
    if (list.length > MAX_BINDING_CONDITIONS) errors.push(tooMany(`${field}.${name}`, list.length, MAX_BINDING_CONDITIONS));
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0)
    errors.push(required(`${field}.bindingConditions`, 'bindingConditions are required to use bindingFailureConditions'));
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0)
    errors.push(required(`${field}.bindingFailureConditions`, 'bindingFailureConditions are required to use bindingConditions'));
  for (const condition of bindingFailureConditions)
    if (bindingConditions.includes(condition))
      errors.push(invalid(`${field}.bindingFailureConditions`, condition, 'bindingFailureConditions must not overlap with bindingConditions'));
  return errors;
}

/** How shares of a device may be cut. */
function validateCapacities({ capacity = {}, allowMultipleAllocations }: Partial<Device>, field: string): FieldError[] {
  return Object.entries(capacity).flatMap(([name, { value, requestPolicy }]) => {
    if (!requestPolicy) return [];
    const at = `${field}.capacity[${name}].requestPolicy`;
    if (!allowMultipleAllocations) return [forbidden(at, 'allowMultipleAllocations must be true')];
    const { default: usual, validValues = [], validRange } = requestPolicy;
    const nanos = (quantity: string) => parseQuantity(quantity).nanos;
    const most = nanos(value);
    const errors: FieldError[] = [];
    if ((validValues.length > 0 || validRange) && usual === undefined)
      errors.push(required(`${at}.default`, 'required when validValues or validRange is defined'));
    if (validValues.length > 0 && validRange)
      errors.push(forbidden(`${at}.validRange`, 'exactly one policy can be specified, cannot specify `validValues` and `validRange` at the same time'));
    if (usual !== undefined && nanos(usual) > most) errors.push(invalid(`${at}.default`, usual, `default value is larger than the capacity value ${value}`));
    if (validValues.length > MAX_VALID_VALUES) errors.push(tooMany(`${at}.validValues`, validValues.length, MAX_VALID_VALUES));
    for (const [i, valid] of validValues.entries()) {
      if (nanos(valid) > most) errors.push(invalid(`${at}.validValues[${i}]`, valid, `option is larger than the capacity value ${value}`));
      if (i > 0 && nanos(valid) <= nanos(validValues[i - 1] ?? '0'))
        errors.push(invalid(`${at}.validValues[${i}]`, valid, 'values must be sorted in ascending order'));
    }
    if (usual !== undefined && validValues.length > 0 && !validValues.some((valid) => nanos(valid) === nanos(usual)))
      errors.push(invalid(`${at}.default`, usual, 'default value is not valid according to the requestPolicy'));
    if (validRange) errors.push(...validateRange(validRange, usual, most, `${at}.validRange`));
    return errors;
  });
}

function validateRange({ min, max, step }: CapacityRequestPolicyRange, usual: string | undefined, most: bigint, field: string): FieldError[] {
  const nanos = (quantity: string) => parseQuantity(quantity).nanos;
  if (min === undefined) return [required(`${field}.min`)];
  const errors: FieldError[] = [];
  const least = nanos(min);
  if (least > most) errors.push(invalid(`${field}.min`, min, 'min is larger than the capacity value'));
  if (max !== undefined && nanos(max) > most) errors.push(invalid(`${field}.max`, max, 'max is larger than the capacity value'));
  if (max !== undefined && nanos(max) < least) errors.push(invalid(`${field}.min`, min, 'min is larger than max'));
  if (usual !== undefined && (nanos(usual) < least || (max !== undefined && nanos(usual) > nanos(max))))
    errors.push(invalid(`${field}`, usual, 'default value is outside of the range'));
  if (step === undefined) return errors;
  if (nanos(step) <= 0n) return [...errors, invalid(`${field}.step`, step, 'must be greater than zero')];
  if (least + nanos(step) > most) errors.push(invalid(`${field}.step`, step, 'one step above min is larger than the capacity value'));
  for (const [what, value] of Object.entries({ max, default: usual }))
    if (value !== undefined && (nanos(value) - least) % nanos(step) !== 0n)
      errors.push(invalid(`${field}.step`, value, `${what} is not a multiple of a given step (${step}) from (${min})`));
  return errors;
}
