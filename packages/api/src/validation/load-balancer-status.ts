import type { FieldError } from '../field-error.js';
import type { Service } from '../generated/types.js';
import { each } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isAddress, validateIP } from './ip.js';
import { isDNS1123Subdomain } from './names.js';

/** Where a load balancer lets traffic in: addresses, each with how it is reached, or names. */
export function validateServiceStatus({ spec, status }: Service, old: Service): FieldError[] {
  const path = 'status.loadBalancer.ingress';
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (spec?.type !== 'LoadBalancer' && ingress.length > 0) return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  return each(ingress, path, ({ ip, ipMode, hostname }, at) => {
    const errors = ip && !known.includes(ip) ? validateIP(ip, `${at}.ip`) : [];
    if (ipMode === undefined) {
      if (ip) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!ip) errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (ipMode !== 'VIP' && ipMode !== 'Proxy') errors.push(notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
    if (!hostname) return errors;
    errors.push(...invalids(`${at}.hostname`, hostname, isDNS1123Subdomain(hostname)));
    return !isAddress(hostname) ? errors : [...errors, invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')];
  });
}
