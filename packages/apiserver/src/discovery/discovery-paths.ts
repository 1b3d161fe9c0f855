import type { PathHandler } from '../api-handler.js';
import { clausesOf } from '../request/accept.js';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import { encoded } from '../rest/respond.js';
import type { Discovery } from './discovery.js';

const JSON_FORMAT = { format: 'json', as: 'object', version: '' } as const;

/** /api, /apis and below, as far as they are not resources. */
export function discoveryPaths(discovery: Discovery): PathHandler {
  return {
    handle(context): ApiResponse | undefined {
      const path = context.info.path.replace(/\/+$/, '');
      if (path !== '/api' && path !== '/apis' && !path.startsWith('/api/') && !path.startsWith('/apis/')) return undefined;
      if (context.request.method !== 'GET' && context.request.method !== 'HEAD') return undefined;
      if (path === '/api' || path === '/apis') {
        const version = aggregatedVersion(context);
        if (version) {
          const response = encoded(context, 200, discovery.aggregated(path === '/api', version), JSON_FORMAT);
          return {
            ...response,
            contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
            headers: { Vary: 'Accept' },
          } as ApiResponse;
        }
        return encoded(context, 200, path === '/api' ? discovery.apiVersions() : discovery.groupList(), JSON_FORMAT);
      }
      const [, root, ...rest] = path.split('/');
      const document =
        root === 'api' && rest.length === 1
          ? discovery.resourceList('', rest[0] as string)
          : root === 'apis' && rest.length === 1
            ? discovery.group(rest[0] as string)
            : root === 'apis' && rest.length === 2
              ? discovery.resourceList(rest[0] as string, rest[1] as string)
              : undefined;
      return document ? encoded(context, 200, document, JSON_FORMAT) : undefined;
    },
  };
}

/** The version of the aggregated form the client prefers over the plain one. */
function aggregatedVersion(context: RequestContext): string | undefined {
  const { accept } = context.request.headers;
  if (typeof accept !== 'string') return undefined;
  for (const { type, parameters } of clausesOf(accept)) {
    if (type !== 'application/json') continue;
    if (parameters.as === undefined) return undefined;
    if (parameters.g === 'apidiscovery.k8s.io' && parameters.as === 'APIGroupDiscoveryList' && (parameters.v === 'v2' || parameters.v === 'v2beta1'))
      return parameters.v;
  }
  return undefined;
}
