import { KUBERNETES_VERSION } from '@coxswain/sdk';
import type { IncomingHttpHeaders } from 'node:http';

const FORWARDED = ['accept', 'accept-encoding', 'content-type', 'if-match', 'if-none-match', 'range'] as const;
const RETURNED = [
  'content-type',
  'content-encoding',
  // A log's end is asked for by range: whether it was the whole log is said here.
  'content-range',
  'accept-ranges',
  'cache-control',
  'etag',
  'warning',
  'audit-id',
  'retry-after',
  'x-kubernetes-pf-flowschema-uid',
  'x-kubernetes-pf-prioritylevel-uid',
];

/** What of a browser's request reaches the API server: never its cookie, nor any header that says who asks. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = { 'user-agent': `coxswain-dashboard/${KUBERNETES_VERSION}` };
  for (const name of FORWARDED) {
    const value = headers[name];
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return out;
}

/** What of an answer reaches the browser: no cookies of others, no headers that would loosen ours. */
export function returnedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of RETURNED) if (headers[name] !== undefined) out[name] = headers[name];
  out['cache-control'] ??= 'no-store';
  // Something proxied (a pod's page, say) must not run as a page of ours.
  out['content-security-policy'] = "default-src 'none'; sandbox";
  return out;
}
