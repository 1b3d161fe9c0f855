import type { FieldError } from '../field-error.js';
import type { EndpointAddress, Endpoints } from '../generated/types.js';
import { each, optionalText, requiredEnum } from './common.js';
import { invalid, invalids, required } from './errors.js';
import { validateIP } from './ip.js';
import { isDNS1123Label, isPortNumber } from './names.js';

export function validateEndpoints({ subsets }: Endpoints): FieldError[] {
  return each(subsets, 'subsets', ({ addresses = [], notReadyAddresses = [], ports = [] }, path) => {
    const errors: FieldError[] = [];
    if (addresses.length === 0 && notReadyAddresses.length === 0) errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
    return [
      ...errors,
      ...each(addresses, `${path}.addresses`, validateAddress),
      ...each(notReadyAddresses, `${path}.notReadyAddresses`, validateAddress),
      ...each(ports, `${path}.ports`, ({ name, port, protocol }, at) => [
        ...(ports.length > 1 && !name ? [required(`${at}.name`)] : optionalText(name, `${at}.name`, isDNS1123Label)),
        ...invalids(`${at}.port`, port, isPortNumber(port)),
        ...requiredEnum(protocol, `${at}.protocol`, ['SCTP', 'TCP', 'UDP']),
      ]),
    ];
  });
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, field: string): FieldError[] {
  const errors = validateIP(ip, `${field}.ip`);
  if (errors.length === 0) errors.push(...validateNonSpecialIP(ip, `${field}.ip`));
  if (nodeName === '') errors.push(invalid(`${field}.nodeName`, nodeName, 'must not be empty'));
  return [...errors, ...optionalText(hostname, `${field}.hostname`, isDNS1123Label)];
}

/** Addresses nothing outside a host can reach are no endpoints. */
export function validateNonSpecialIP(ip: string, field: string): FieldError[] {
  if (ip === '0.0.0.0' || ip === '::') return [invalid(field, ip, `may not be unspecified (${ip})`)];
  if (/^127\./.test(ip) || ip === '::1') return [invalid(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  if (/^169\.254\./.test(ip) || /^fe[89ab]/i.test(ip)) {
    return [invalid(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  }
  if (/^224\.0\.0\./.test(ip) || /^ff02:/i.test(ip)) {
    return [invalid(field, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
  }
  return [];
}
