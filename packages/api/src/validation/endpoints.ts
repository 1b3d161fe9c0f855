import type { FieldError } from '../field-error.js';
import type { EndpointAddress, Endpoints } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, optionalText, requiredEnum } from './common.js';
import { validateNonSpecialIP } from './endpoint-ip.js';
import { invalid, invalids, required } from './errors.js';
import { ipWarnings, validateIP } from './ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isPortNumber, isQualifiedName } from './names.js';

/** Subsets that nobody changes are let pass, as they were before. */
export function validateEndpoints({ subsets }: Endpoints, old?: Endpoints): FieldError[] {
  const errors = validateSubsets(subsets);
  return errors.length > 0 && old && deepEqual(old.subsets, subsets) ? [] : errors;
}

const validateSubsets = (subsets: Endpoints['subsets']): FieldError[] =>
  each(subsets, 'subsets', ({ addresses = [], notReadyAddresses = [], ports = [] }, path) => [
    ...(addresses.length === 0 && notReadyAddresses.length === 0 ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...each(addresses, `${path}.addresses`, validateAddress),
    ...each(notReadyAddresses, `${path}.notReadyAddresses`, validateAddress),
    ...each(ports, `${path}.ports`, ({ name, port, protocol, appProtocol }, at) => [
      ...(ports.length > 1 && !name ? [required(`${at}.name`)] : optionalText(name, `${at}.name`, isDNS1123Label)),
      ...invalids(`${at}.port`, port, isPortNumber(port)),
      ...requiredEnum(protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP']),
      ...(appProtocol === undefined ? [] : invalids(`${at}.appProtocol`, appProtocol, isQualifiedName(appProtocol))),
    ]),
  ]);

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, field: string): FieldError[] {
  const errors = validateIP(ip, `${field}.ip`);
  const special = errors.length > 0 ? [invalid(`${field}.ip`, ip, 'must be a valid IP address')] : validateNonSpecialIP(ip, `${field}.ip`);
  return [
    ...errors,
    ...optionalText(hostname, `${field}.hostname`, isDNS1123Label),
    ...(nodeName === undefined ? [] : invalids(`${field}.nodeName`, nodeName, isDNS1123Subdomain(nodeName))),
    ...special,
  ];
}

export const endpointsWarnings = ({ subsets = [] }: Endpoints): string[] =>
  subsets.flatMap((subset, index) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
      (subset[list] ?? []).flatMap(({ ip }, which) => ipWarnings(ip, `subsets[${index}].${list}[${which}].ip`)),
    ),
  );
