import { useSyncExternalStore } from 'react';
import { apiVersionOf, type KubeObject, type Resource } from './api/resource';

export type Route =
  | { readonly page: 'architecture' | 'nodes' | 'logs' | 'create' | 'unknown' }
  | { readonly page: 'list'; readonly group: string; readonly version: string; readonly resource: string }
  | {
      readonly page: 'detail';
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly tab: string;
    };

/** Cluster-scoped objects have `_` where others have their namespace. */
const NO_NAMESPACE = '_';

export function parseRoute(pathname: string, search: string): Route {
  const [, page = '', ...rest] = pathname.split('/').map(decodeURIComponent);
  switch (page) {
    case '':
    case 'architecture':
      return { page: 'architecture' };
    case 'nodes':
    case 'logs':
    case 'create':
      return { page };
    case 'r': {
      const [g = '', version = '', resource = '', namespace, name] = rest;
      const group = g === 'core' ? '' : g;
      if (resource === '') return { page: 'unknown' };
      if (name === undefined) return { page: 'list', group, version, resource };
      const tab = new URLSearchParams(search).get('tab') ?? 'overview';
      return { page: 'detail', group, version, resource, namespace: namespace === NO_NAMESPACE ? undefined : namespace, name, tab };
    }
    default:
      return { page: 'unknown' };
  }
}

export const listPath = ({ group, version, name }: Pick<Resource, 'group' | 'version' | 'name'>) => `/r/${group || 'core'}/${version}/${name}`;

export function detailPath(resource: Resource, namespace: string | undefined, name: string, tab?: string): string {
  return `${listPath(resource)}/${namespace ?? NO_NAMESPACE}/${encodeURIComponent(name)}${tab ? `?tab=${tab}` : ''}`;
}

/** Where to look at an object that another one names, such as an owner. */
export function pathOfReference(
  resources: readonly Resource[],
  ref: Pick<KubeObject, 'apiVersion' | 'kind'>,
  namespace: string | undefined,
  name: string,
): string | undefined {
  const found = resources.find((r) => r.kind === ref.kind && (ref.apiVersion === undefined || apiVersionOf(r) === ref.apiVersion));
  return found ? detailPath(found, found.namespaced ? namespace : undefined, name) : undefined;
}

const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};
addEventListener('popstate', tell);

export function navigate(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  tell();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Path and query: the same value as long as nobody went anywhere. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => location.pathname + location.search);
}

export function useRoute(): Route {
  const [pathname = '/', search = ''] = useAddress().split('?');
  return parseRoute(pathname, search);
}
