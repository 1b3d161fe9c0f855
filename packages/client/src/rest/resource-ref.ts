import type { KubeObject, ResourceDefinition } from '@coxswain/api';

/** Names a resource to a client; `T` is the type of its objects. A `ResourceDefinition` is one, too. */
export interface ResourceRef<T extends KubeObject = KubeObject> extends Pick<ResourceDefinition, 'group' | 'version' | 'resource' | 'namespaced'> {
  readonly kind?: string;
  /** Never set: carries the type. */
  readonly __object?: T;
}

export type ObjectOf<R> = R extends ResourceRef<infer T> ? T : never;

/** Make a typed reference: `resourceRef<Pod>('', 'v1', 'pods', 'Pod')`. */
export function resourceRef<T extends KubeObject>(group: string, version: string, resource: string, kind: string, namespaced = true): ResourceRef<T> {
  return Object.freeze({ group, version, resource, kind, namespaced });
}

/** `/api/v1` or `/apis/apps/v1`. */
export const groupVersionPath = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

export function resourcePath(ref: ResourceRef, namespace: string | undefined, name?: string, subresource?: string): string {
  let path = groupVersionPath(ref);
  if (ref.namespaced && namespace) path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${ref.resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  if (subresource) path += `/${subresource}`;
  return path;
}
