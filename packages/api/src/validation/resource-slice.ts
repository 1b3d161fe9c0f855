import type { FieldError } from '../field-error.js';
import type { Counter, Device, DeviceAttribute, NodeSelector, ResourceSlice } from '../generated/types.js';
import { driverName, requiredText } from './common.js';
import { validateCapacities } from './device-capacity.js';
import { validateBinding, validateDeviceKey, validatePoolName, validateSet, validateSlice, validateTaint } from './device-parts.js';
import { invalid, invalids, required, tooLong, tooMany } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from './names.js';
import { validateNodeSelectorTerms } from './pod/scheduling.js';

const MAX_DEVICES = 128;
/** When devices have taints, or use counters. */
const MAX_ADVANCED_DEVICES = 64;
const MAX_COUNTER_SETS = 8;
const MAX_COUNTERS = 32;
const MAX_CONSUMPTIONS = 2;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE_LENGTH = 64;
const MAX_TAINTS = 16;

const ONE_PLACE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
const ONE_PLACE_OF_A_DEVICE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

export function validateResourceSlice({ spec }: ResourceSlice): FieldError[] {
  const { pool, devices, sharedCounters, perDeviceNodeSelection } = spec;
  const errors = [...driverName(spec.driver, 'spec.driver'), ...validatePoolName(pool?.name, 'spec.pool.name')];
  if ((pool?.resourceSliceCount ?? 0) <= 0) errors.push(invalid('spec.pool.resourceSliceCount', pool?.resourceSliceCount ?? 0, 'must be greater than zero'));
  if ((pool?.generation ?? 0) < 0) errors.push(invalid('spec.pool.generation', pool?.generation, 'must be greater than or equal to zero'));
  errors.push(...validatePlaces(spec));
  if (sharedCounters && devices) errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  const advanced = devices?.some(({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0);
  return [
    ...errors,
    ...validateSet(
      devices,
      advanced ? MAX_ADVANCED_DEVICES : MAX_DEVICES,
      'spec.devices',
      ({ name }) => name,
      (device, at) => validateDevice(device, at, perDeviceNodeSelection),
    ),
    ...validateSet(
      sharedCounters,
      MAX_COUNTER_SETS,
      'spec.sharedCounters',
      ({ name }) => name,
      ({ name, counters }, at) => [...requiredText(name, `${at}.name`, isDNS1123Label), ...validateCounters(counters, `${at}.counters`)],
    ),
  ];
}

/** Ways in which it was said where devices are, of which there is to be one. */
interface Ways {
  readonly said: string[];
  readonly errors: FieldError[];
}

function byName({ said, errors }: Ways, nodeName: string | undefined, field: string, ifEmpty: string): void {
  if (nodeName === '') errors.push(invalid(field, nodeName, ifEmpty));
  else if (nodeName !== undefined) {
    said.push('`nodeName`');
    errors.push(...invalids(field, nodeName, isDNS1123Subdomain(nodeName)));
  }
}

function bySelector({ said, errors }: Ways, selector: NodeSelector | undefined, field: string): void {
  if (!selector) return;
  said.push('`nodeSelector`');
  errors.push(...validateNodeSelectorTerms(selector.nodeSelectorTerms ?? [], field));
}

function byFlag({ said, errors }: Ways, flags: Readonly<Record<string, boolean | undefined>>, field: string): void {
  for (const [name, value] of Object.entries(flags)) {
    if (value === true) said.push(`\`${name}\``);
    else if (value === false) errors.push(invalid(`${field}.${name}`, value, 'must be either unset or set to true'));
  }
}

/** On which nodes the devices are. */
function validatePlaces({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: ResourceSlice['spec']): FieldError[] {
  const ways: Ways = { said: [], errors: [] };
  byName(ways, nodeName, 'spec.nodeName', 'must be either unset or set to a non-empty string');
  bySelector(ways, nodeSelector, 'spec.nodeSelector');
  const terms = nodeSelector?.nodeSelectorTerms ?? [];
  if (nodeSelector && terms.length !== 1) ways.errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'));
  byFlag(ways, { allNodes, perDeviceNodeSelection }, 'spec');
  const { said, errors } = ways;
  if (said.length === 0) errors.push(required('spec', ONE_PLACE));
  if (said.length > 1) errors.push(invalid('spec', `{${said.join(', ')}}`, `${ONE_PLACE}, but multiple fields are set`));
  return errors;
}

function validateDevice(device: Device, field: string, ownPlace: boolean | undefined): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints, consumesCounters } = device;
  const errors = requiredText(name, `${field}.name`, isDNS1123Label);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > MAX_ATTRIBUTES) errors.push(invalid(field, count, `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`));
  for (const [key, attribute] of Object.entries(attributes))
    errors.push(...validateDeviceKey(key, `${field}.attributes`), ...validateAttribute(attribute, `${field}.attributes[${key}]`));
  for (const key of Object.keys(capacity)) errors.push(...validateDeviceKey(key, `${field}.capacity`));
  return [
    ...errors,
    ...validateCapacities(device, field),
    ...validateSlice(taints, MAX_TAINTS, `${field}.taints`, validateTaint),
    ...validateSet(
      consumesCounters,
      MAX_CONSUMPTIONS,
      `${field}.consumesCounters`,
      ({ counterSet }) => counterSet,
      ({ counterSet, counters }, at) => [...requiredText(counterSet, `${at}.counterSet`, isDNS1123Label), ...validateCounters(counters, `${at}.counters`)],
    ),
    ...validatePlace(device, field, ownPlace === true),
    ...validateBinding(device, field),
  ];
}

function validateCounters(counters: Readonly<Record<string, Counter>> | undefined, field: string): FieldError[] {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return [required(field)];
  if (names.length > MAX_COUNTERS) return [tooMany(field, names.length, MAX_COUNTERS)];
  return names.flatMap((name) => invalids(field, name, isDNS1123Label(name)));
}

const SEMVER =
  /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

function validateAttribute(attribute: DeviceAttribute, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { string, version } = attribute;
  if (version !== undefined && !SEMVER.test(version))
    errors.push(invalid(`${field}.version`, version, 'must be a string compatible with semver.org spec 2.0.0'));
  for (const [name, text] of Object.entries({ string, version }))
    if (text !== undefined && text.length > MAX_VALUE_LENGTH) errors.push(tooLong(`${field}.${name}`, MAX_VALUE_LENGTH));
  const set = Object.values(attribute).filter((value) => value !== undefined).length;
  if (set !== 1) errors.push(invalid(field, set === 0 ? '' : attribute, 'exactly one value must be specified'));
  return errors;
}

/** A device that says where it is: each of a slice does, or none. */
function validatePlace({ nodeName, nodeSelector, allNodes }: Device, field: string, own: boolean): FieldError[] {
  if (!own) {
    if (nodeName === undefined && !nodeSelector && allNodes === undefined) return [];
    return [
      invalid(field, null, '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'),
    ];
  }
  const ways: Ways = { said: [], errors: [] };
  byName(ways, nodeName, `${field}.nodeName`, 'must not be empty');
  bySelector(ways, nodeSelector, `${field}.nodeSelector`);
  byFlag(ways, { allNodes }, field);
  const { said, errors } = ways;
  if (said.length === 0) errors.push(required(field, ONE_PLACE_OF_A_DEVICE));
  if (said.length > 1) errors.push(invalid(field, `{${said.join(', ')}}`, ONE_PLACE_OF_A_DEVICE));
  return errors;
}
