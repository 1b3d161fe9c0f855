import type { FieldError } from '../field-error.js';
import type { Endpoint, EndpointSlice } from '../generated/types.js';
import { each, requiredEnum } from './common.js';
import { duplicate, invalid, invalids, required, tooMany } from './errors.js';
import { ipWarnings, isIPFamily, validateIP } from './ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isFullyQualifiedDomainName, isLabelValue, isQualifiedName, type SyntaxCheck } from './names.js';
import { immutable, validateLabels } from './object-meta.js';
import { validateNonSpecialIP } from './endpoint-ip.js';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;
const MAX_TOPOLOGY = 16;
const MAX_HINTS = 8;

export function validateEndpointSlice({ addressType, ...slice }: EndpointSlice): FieldError[] {
  const [endpoints, ports] = [slice.endpoints ?? [], slice.ports ?? []];
  const errors = requiredEnum(addressType, 'addressType', ['FQDN', 'IPv4', 'IPv6']);
  if (endpoints.length > MAX_ENDPOINTS) return [...errors, tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  if (ports.length > MAX_PORTS) return [...errors, tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return [
    ...errors,
    ...each(endpoints, 'endpoints', (endpoint, path) => validateEndpoint(endpoint, path, addressType)),
    ...each(ports, 'ports', ({ name = '', protocol, appProtocol }, path) => {
      const found = name === '' ? [] : invalids(`${path}.name`, name, isDNS1123Label(name));
      if (names.has(name)) found.push(duplicate(`${path}.name`, name));
      names.add(name);
      if (protocol === undefined) found.push(required(`${path}.protocol`));
      else found.push(...requiredEnum(protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']));
      return [...found, ...givenText(appProtocol, `${path}.appProtocol`, isQualifiedName)];
    }),
  ];
}

/** Of a syntax when given, be it empty. */
const givenText = (value: string | undefined, field: string, check: SyntaxCheck): FieldError[] =>
  value === undefined ? [] : invalids(field, value, check(value));

function validateEndpoint({ addresses = [], hostname, nodeName, hints, deprecatedTopology = {} }: Endpoint, field: string, type: string): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(`${field}.addresses`, addresses.length, MAX_ADDRESSES));
  errors.push(
    ...each(addresses, `${field}.addresses`, (address, path) => {
      if (type === 'FQDN') return invalids(path, address, isFullyQualifiedDomainName(address));
      if (type !== 'IPv4' && type !== 'IPv6') return [];
      const wrong = validateIP(address, path);
      if (wrong.length > 0) return wrong;
      return [...(isIPFamily(address, type) ? [] : [invalid(path, address, `must be an ${type} address`)]), ...validateNonSpecialIP(address, path)];
    }),
    ...givenText(nodeName, `${field}.nodeName`, isDNS1123Subdomain),
  );
  const topology = Object.keys(deprecatedTopology).length;
  if (topology > MAX_TOPOLOGY) errors.push(tooMany(`${field}.deprecatedTopology`, topology, MAX_TOPOLOGY));
  return [
    ...errors,
    ...validateLabels(deprecatedTopology, `${field}.deprecatedTopology`),
    ...givenText(hostname, `${field}.hostname`, isDNS1123Label),
    ...validateHints(hints?.forZones, `${field}.hints.forZones`, isLabelValue),
    ...validateHints(hints?.forNodes, `${field}.hints.forNodes`, isDNS1123Subdomain),
  ];
}

function validateHints(hints: readonly { readonly name: string }[] | undefined, field: string, check: SyntaxCheck): FieldError[] {
  if ((hints ?? []).length > MAX_HINTS) return [tooMany(field, hints?.length ?? 0, MAX_HINTS)];
  const seen = new Set<string>();
  return each(hints, field, ({ name }, path) => {
    const errors = seen.has(name) ? [duplicate(`${path}.name`, name)] : [];
    seen.add(name);
    return [...errors, ...invalids(`${path}.name`, name, check(name))];
  });
}

/** Domain names nobody resolves, and addresses that are not written as they should be. */
export function endpointSliceWarnings({ addressType, endpoints }: EndpointSlice): string[] {
  if (addressType === 'FQDN') return ['spec.addressType: FQDN endpoints are deprecated'];
  return (endpoints ?? []).flatMap(({ addresses }, index) => addresses.flatMap((address, at) => ipWarnings(address, `endpoints[${index}].addresses[${at}]`)));
}

export const validateEndpointSliceUpdate = (slice: EndpointSlice, old: EndpointSlice): FieldError[] =>
  immutable(slice.addressType, old.addressType, 'addressType');
