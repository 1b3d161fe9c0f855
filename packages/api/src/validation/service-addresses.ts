import { isIPv6 } from 'node:net';
import type { FieldError } from '../field-error.js';
import type { Service, ServiceSpec } from '../generated/types.js';
import { each } from './common.js';
import { duplicate, forbidden, invalid, notSupported, required } from './errors.js';
import { isDualStack, validateIP } from './ip.js';
import { isHeadless, needsHealthCheck } from './service-traits.js';

const NONE = 'None';
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** The addresses of a service and the families that they are of; `known` are stored ones. */
export function validateServiceAddresses(spec: ServiceSpec, known: readonly string[] = []): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.clusterIPs';
  const errors: FieldError[] = [];
  if (clusterIP) {
    if (clusterIPs.length === 0) errors.push(required(path));
    else if (clusterIPs[0] !== clusterIP) errors.push(invalid(path, clusterIPs, 'first value must match `clusterIP`'));
  } else if (clusterIPs.length > 0) errors.push(invalid(path, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  errors.push(
    ...each(ipFamilies, 'spec.ipFamilies', (family, at, index) => [
      ...(family === 'IPv4' || family === 'IPv6' ? [] : [notSupported(at, family, ['IPv4', 'IPv6'])]),
      ...(ipFamilies.indexOf(family) < index ? [duplicate(at, family)] : []),
    ]),
  );
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES));
  let wrong = false;
  for (const [index, address] of clusterIPs.entries()) {
    if (index === 0 && address === NONE) {
      if (clusterIPs.length === 1) continue;
      errors.push(invalid(path, clusterIPs, "'None' must be the first and only value"));
      wrong = true;
      continue;
    }
    const found = known.includes(address) ? [] : validateIP(address, `${path}[${index}]`);
    wrong ||= found.length > 0;
    errors.push(...found);
  }
  if (clusterIPs.length > 2) errors.push(invalid(path, clusterIPs, 'may only hold up to 2 values'));
  // Of what is no address nothing more can be said.
  if (wrong) return errors;
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs.slice(0, 2))) {
    errors.push(invalid(path, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  for (const [index, address] of clusterIPs.entries()) {
    const family = ipFamilies[index];
    if ((family === 'IPv4' && isIPv6(address)) || (family === 'IPv6' && !isIPv6(address))) {
      errors.push(invalid(`${path}[${index}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``));
    }
  }
  return errors;
}

const FIXED = 'may not change once set';

/** The first address and family stay; a second one comes and goes, the latter for those who say that they want but one. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (!spec || !old) return [];
  const errors: FieldError[] = [];
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') errors.push(...validateAddressChange(spec, old), ...validateFamilyChange(spec, old));
  if (old.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, FIXED));
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
  return errors;
}

const mustBeSingle = ({ ipFamilyPolicy }: ServiceSpec, what: string): FieldError[] =>
  ipFamilyPolicy === 'SingleStack' ? [] : [invalid('spec.ipFamilyPolicy', ipFamilyPolicy, `must be set to 'SingleStack' when releasing the secondary ${what}`)];

function validateAddressChange(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const [now, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []];
  if (isHeadless(spec) && isHeadless(old)) return [];
  if (now.length === before.length)
    return now.flatMap((address, index) => (address === before[index] ? [] : [invalid(`spec.clusterIPs[${index}]`, now, FIXED)]));
  const errors: FieldError[] = [];
  if (now.length === 0) errors.push(invalid('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset'));
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) errors.push(invalid('spec.clusterIPs[0]', now, FIXED));
  return now.length < before.length && now.length === 1 ? [...errors, ...mustBeSingle(spec, 'clusterIP')] : errors;
}

function validateFamilyChange(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const [now, before] = [spec.ipFamilies ?? [], old.ipFamilies ?? []];
  if (isHeadless(spec) || isHeadless(old)) return [];
  if (now.length === before.length) return now.flatMap((family, index) => (family === before[index] ? [] : [invalid('spec.ipFamilies[0]', now, FIXED)]));
  const errors: FieldError[] = [];
  const fewer = now.length < before.length;
  if (fewer && (spec.clusterIPs ?? []).length === 0) errors.push(invalid('spec.ipFamilies[0]', now, 'primary ipFamily can not be unset'));
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) errors.push(invalid('spec.ipFamilies[0]', spec.clusterIPs ?? null, FIXED));
  return fewer && now.length === 1 ? [...errors, ...mustBeSingle(spec, 'ipFamily')] : errors;
}
