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
} from '../generated/types.js';
import { requiredEnum, requiredText } from './common.js';
import { validateConfiguration, validateFullDeviceKey, validateSet, validateSlice, validateToleration } from './device-parts.js';
import { invalid, invalids, required, tooLong } from './errors.js';
import { byteLength, isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from './names.js';
import { isExtendedResource } from './resource-names.js';

const MAX_REQUESTS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_PARTS = 32;
const MAX_TOLERATIONS = 16;
const MAX_EXPRESSION = 10 * 1024;

export const validateResourceClaim = ({ spec }: ResourceClaim): FieldError[] => validateDeviceClaim(spec?.devices, 'spec.devices');

export const validateResourceClaimTemplate = ({ spec }: ResourceClaimTemplate): FieldError[] => validateDeviceClaim(spec?.spec?.devices, 'spec.spec.devices');

export const validateDeviceClass = ({ spec }: DeviceClass): FieldError[] => [
  ...validateSelectors(spec?.selectors, 'spec.selectors'),
  ...validateSlice(spec?.config, MAX_PARTS, 'spec.config', ({ opaque }, at) => validateConfiguration(opaque, at)),
  ...validateExtendedName(spec?.extendedResourceName, 'spec.extendedResourceName'),
];

const validateExtendedName = (name: string | undefined, field: string): FieldError[] =>
  name === undefined || (isExtendedResource(name) && isQualifiedName(name).length === 0)
    ? []
    : [invalid(field, name, 'must be a valid extended resource name')];

/** By the name of a request: those of its alternatives. */
type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export const requestNamesOf = (claim: DeviceClaim | undefined): RequestNames =>
  new Map((claim?.requests ?? []).map(({ name, firstAvailable = [] }) => [name, new Set(firstAvailable.map((each) => each.name))]));

const NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

export function validateRequestRef(ref: string, field: string, names: RequestNames): FieldError[] {
  const [request = '', alternative, ...more] = ref.split('/');
  if (more.length > 0) return [invalid(field, ref, NO_REQUEST)];
  const parts = alternative === undefined ? [request] : [request, alternative];
  const known = names.get(request);
  return [
    ...parts.flatMap((part) => invalids(field, part, isDNS1123Label(part))),
    ...(known && (alternative === undefined || known.has(alternative)) ? [] : [invalid(field, ref, NO_REQUEST)]),
  ];
}

function validateDeviceClaim(claim: DeviceClaim | undefined, field: string): FieldError[] {
  const names = requestNamesOf(claim);
  const refs = (list: readonly string[] | undefined, at: string) =>
    validateSet(
      list,
      MAX_REQUESTS,
      at,
      (name) => name,
      (name, path) => validateRequestRef(name, path, names),
    );
  return [
    ...validateSet(claim?.requests, MAX_REQUESTS, `${field}.requests`, ({ name }) => name, validateRequest),
    ...validateSlice(claim?.constraints, MAX_PARTS, `${field}.constraints`, ({ requests, matchAttribute, distinctAttribute }, at) => [
      ...refs(requests, `${at}.requests`),
      ...(matchAttribute !== undefined
        ? validateFullDeviceKey(matchAttribute, `${at}.matchAttribute`)
        : distinctAttribute !== undefined
          ? validateFullDeviceKey(distinctAttribute, `${at}.distinctAttribute`)
          : [required(at, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set')]),
    ]),
    ...validateSlice(claim?.config, MAX_PARTS, `${field}.config`, ({ requests, opaque }, at) => [
      ...refs(requests, `${at}.requests`),
      ...validateConfiguration(opaque, at),
    ]),
  ];
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, field: string): FieldError[] {
  const errors = requiredText(name, `${field}.name`, isDNS1123Label);
  if (!exactly && firstAvailable.length === 0) return [...errors, required(field, 'exactly one of `exactly` or `firstAvailable` is required')];
  if (exactly && firstAvailable.length > 0)
    return [...errors, invalid(field, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')];
  if (exactly) return [...errors, ...validateExact(exactly, `${field}.exactly`)];
  return [
    ...errors,
    ...validateSet(
      firstAvailable,
      MAX_ALTERNATIVES,
      `${field}.firstAvailable`,
      (each) => each.name,
      (request, at) => [...requiredText(request.name, `${at}.name`, isDNS1123Label), ...validateExact(request, at)],
    ),
  ];
}

function validateExact({ deviceClassName, allocationMode, count, selectors, tolerations }: ExactDeviceRequest | DeviceSubRequest, field: string): FieldError[] {
  const errors = [
    ...requiredText(deviceClassName, `${field}.deviceClassName`, isDNS1123Subdomain),
    ...validateSelectors(selectors, `${field}.selectors`),
    ...requiredEnum(allocationMode, `${field}.allocationMode`, ['All', 'ExactCount']),
  ];
  if (allocationMode === 'ExactCount' && (count ?? 0) <= 0) errors.push(invalid(`${field}.count`, count ?? 0, 'must be greater than zero'));
  if (allocationMode === 'All' && count) errors.push(invalid(`${field}.count`, count, "must not be specified when allocationMode is 'All'"));
  return [...errors, ...validateSlice(tolerations, MAX_TOLERATIONS, `${field}.tolerations`, validateToleration)];
}

/** That expressions compile is checked where the language is known. */
const validateSelectors = (selectors: readonly DeviceSelector[] | undefined, field: string): FieldError[] =>
  validateSlice(selectors, MAX_PARTS, field, ({ cel }, at) => {
    if (!cel) return [required(`${at}.cel`)];
    const path = `${at}.cel.expression`;
    return byteLength(cel.expression ?? '') > MAX_EXPRESSION ? [tooLong(path, MAX_EXPRESSION)] : requiredText(cel.expression, path);
  });
