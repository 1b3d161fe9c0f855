import type { FieldError } from '../field-error.js';
import type { Endpoint, EndpointSlice } from '../generated/types.js';
import { each, optionalText, requiredEnum } from './common.js';
import { duplicate, invalid, invalids, required, tooMany } from './errors.js';
import { isIPFamily, validateIP } from './ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isFullyQualifiedDomainName, isLabelValue, isPortName, isQualifiedName, rangeError } from './names.js';
import { immutable } from './object-meta.js';
import { validateNonSpecialIP } from './endpoints.js';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;

export function validateEndpointSlice({ addressType, endpoints = [], ports = [] }: EndpointSlice): FieldError[] {
  const errors = requiredEnum(addressType, 'addressType', ['FQDN', 'IPv4', 'IPv6']);
  if (endpoints.length > MAX_ENDPOINTS) return [...errors, tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  if (ports.length > MAX_PORTS) return [...errors, tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return [
    ...errors,
    ...each(endpoints, 'endpoints', (endpoint, path) => validateEndpoint(endpoint, path, addressType)),
    ...each(ports, 'ports', ({ name = '', port, protocol, appProtocol }, path) => {
      const found = name === '' ? [] : invalids(`${path}.name`, name, isPortNameOrLabel(name));
      if (names.has(name)) found.push(duplicate(`${path}.name`, name));
      names.add(name);
      if (protocol === undefined) found.push(required(`${path}.protocol`));
      else found.push(...requiredEnum(protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']));
      if (port !== undefined && (port < 1 || port > 65535)) found.push(invalid(`${path}.port`, port, rangeError(1, 65535)));
      return [...found, ...optionalText(appProtocol, `${path}.appProtocol`, isQualifiedName)];
    }),
  ];
}

const isPortNameOrLabel = (name: string): string[] => (isPortName(name).length === 0 ? [] : isDNS1123Label(name));

function validateEndpoint({ addresses = [], hostname, nodeName, hints }: Endpoint, field: string, type: string): FieldError[] {
  if (addresses.length === 0) return [required(`${field}.addresses`, 'must contain at least 1 address')];
  if (addresses.length > MAX_ADDRESSES) return [tooMany(`${field}.addresses`, addresses.length, MAX_ADDRESSES)];
  const zones = new Set<string>();
  return [
    ...each(addresses, `${field}.addresses`, (address, path) => {
      if (type === 'FQDN') return invalids(path, address, isFullyQualifiedDomainName(address));
      const wrong = validateIP(address, path);
      if (wrong.length > 0) return wrong;
      if ((type === 'IPv4' || type === 'IPv6') && !isIPFamily(address, type)) {
        return [invalid(path, address, `must be an ${type} address`)];
      }
      return validateNonSpecialIP(address, path);
    }),
    ...optionalText(nodeName, `${field}.nodeName`, isDNS1123Subdomain),
    ...optionalText(hostname, `${field}.hostname`, isDNS1123Label),
    ...each(hints?.forZones, `${field}.hints.forZones`, ({ name }, path) => {
      const found: FieldError[] = name ? invalids(`${path}.name`, name, isLabelValue(name)) : [required(`${path}.name`)];
      if (zones.has(name)) found.push(duplicate(`${path}.name`, name));
      zones.add(name);
      return found;
    }),
    ...((hints?.forZones ?? []).length > 8 ? [tooMany(`${field}.hints.forZones`, hints?.forZones?.length ?? 0, 8)] : []),
  ];
}

export const validateEndpointSliceUpdate = (slice: EndpointSlice, old: EndpointSlice): FieldError[] =>
  immutable(slice.addressType, old.addressType, 'addressType');
