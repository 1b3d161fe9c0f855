import type { Discovery } from './discovery.js';

/** Those of the groups and their versions. */
export function groupPaths(discovery: Pick<Discovery, 'groups' | 'versions'>): string[] {
  return discovery.groups().flatMap((group) => [`/apis/${group}`, ...discovery.versions(group).map((version) => `/apis/${group}/${version}`)]);
}

/** Every path there is, as the root and /statusz list them. */
export function listedPaths(
  discovery: Pick<Discovery, 'groups' | 'versions'>,
  { profiling, flags }: { readonly profiling: boolean; readonly flags: boolean },
): string[] {
  return [
    '/.well-known/openid-configuration',
    '/api',
    '/api/v1',
    '/apis',
    ...groupPaths(discovery),
    ...(profiling ? ['/debug/pprof'] : []),
    ...(flags ? ['/flagz'] : []),
    '/healthz',
    '/livez',
    '/metrics',
    '/metrics/slis',
    '/openapi/v2',
    '/openapi/v3',
    '/openid/v1/jwks',
    '/readyz',
    '/statusz',
    '/version',
  ].sort();
}
