import { ApiError } from '@coxswain/apimachinery';

export interface RequestInfo {
  /** The path without the query, as sent. */
  readonly path: string;
  /** API verb for resources (`list`, `deletecollection`, `connect` does not occur: upstream authorizes by method), else the method in lower case. */
  readonly verb: string;
  readonly resource?: ResourceInfo;
}

export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  /** '' for cluster scope and for requests over all namespaces. */
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows a subresource (`/proxy/a/b` → `/a/b`), as sent; '' when nothing does. */
  readonly rest: string;
}

const METHOD_VERBS: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/**
 * What a request is about, by upstream's rules. `watchQuery` and `nameSelector` are what the query says: `watch=true`, and the
 * name in `fieldSelector=metadata.name=x` (an authorizer sees such a list as being for that name).
 */
export function parseRequestInfo(method: string, path: string, watchQuery: boolean, nameSelector?: () => string | undefined): RequestInfo {
  const nonResource: RequestInfo = { path, verb: method.toLowerCase() };
  let at: number;
  let group = '';
  if (path.startsWith('/api/')) at = 5;
  else if (path.startsWith('/apis/')) {
    const slash = path.indexOf('/', 6);
    if (slash < 0) return nonResource;
    group = path.slice(6, slash);
    at = slash + 1;
  } else return nonResource;

  const versionEnd = path.indexOf('/', at);
  if (versionEnd < 0 || versionEnd + 1 >= path.length) return nonResource;
  const version = path.slice(at, versionEnd);
  let parts = path.slice(versionEnd + 1).split('/');
  if (parts.at(-1) === '' && parts.length > 1) parts = parts.slice(0, -1);
  if (parts.length === 0 || parts[0] === '') return nonResource;

  let verb = METHOD_VERBS[method] ?? '';
  let legacyWatch = false;
  let legacyProxy = false;
  if (parts[0] === 'watch' && parts.length > 1) {
    legacyWatch = true;
    verb = 'watch';
    parts = parts.slice(1);
  } else if (parts[0] === 'proxy' && parts.length > 1) {
    legacyProxy = true;
    parts = parts.slice(1);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && group === '') {
    if (parts.length > 1) {
      namespace = decodeSegment(parts[1] as string);
      // /namespaces/x and its own subresources are about the namespace; anything longer is inside it.
      if (parts.length > 2 && !(parts.length === 3 && NAMESPACE_SUBRESOURCES.has(parts[2] as string))) parts = parts.slice(2);
    }
  } else if (parts[0] === 'namespaces' && parts.length > 2) {
    namespace = decodeSegment(parts[1] as string);
    parts = parts.slice(2);
  }
  const resource = decodeSegment(parts[0] as string);
  const name = parts.length > 1 ? decodeSegment(parts[1] as string) : '';
  const subresource = parts.length > 2 && !legacyProxy ? decodeSegment(parts[2] as string) : legacyProxy ? 'proxy' : '';
  const rest = parts.length > 3 ? `/${parts.slice(3).join('/')}${path.endsWith('/') ? '/' : ''}` : parts.length === 3 && path.endsWith('/') ? '/' : '';
  let effectiveName = name;
  if (name === '' && !legacyWatch) {
    if (verb === 'get') verb = watchQuery ? 'watch' : 'list';
    else if (verb === 'delete') verb = 'deletecollection';
  } else if (verb === 'get' && watchQuery && subresource === '') verb = 'watch';
  if (effectiveName === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')) effectiveName = nameSelector?.() ?? '';
  return { path, verb, resource: { group, version, namespace, resource, subresource, name: effectiveName, rest } };
}

function decodeSegment(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw ApiError.badRequest(`invalid URL escape in ${JSON.stringify(text)}`);
  }
}
