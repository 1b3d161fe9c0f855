import { isIPv4 } from 'node:net';
import type { FieldError } from '../field-error.js';
import { invalid } from './errors.js';

/** Addresses nothing outside a host can reach are no endpoints. */
export function validateNonSpecialIP(ip: string, field: string): FieldError[] {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  const address = mapped !== undefined && isIPv4(mapped) ? mapped : ip;
  if (/^0+(\.0+){3}$/.test(address) || /^[0:]+$/.test(address)) return [invalid(field, ip, `may not be unspecified (${ip})`)];
  if (/^0*127\./.test(address) || /^[0:]*:0*1$/.test(address)) return [invalid(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  if (/^169\.254\./.test(address) || /^fe[89ab][0-9a-f]:/i.test(address)) {
    return [invalid(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  }
  if (/^224\.0\.0\./.test(address) || /^ff[0-9a-f]2:/i.test(address)) {
    return [invalid(field, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
  }
  return [];
}
