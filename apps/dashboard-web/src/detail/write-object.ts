import { json, k8s } from '../api/request';
import { apiVersionOf, collectionPath, type KubeObject, objectPath, type Resource } from '../api/resource';
import { applied } from './yaml-text';

export const FIELD_MANAGER = 'coxswain-dashboard';

/** The resource an object belongs to. Throws when the cluster has none, or when its namespace is not known. */
export function resourceOf(resources: readonly Resource[], object: KubeObject): Resource {
  const found = resources.find((r) => r.kind === object.kind && apiVersionOf(r) === object.apiVersion);
  if (found) return found;
  throw new Error(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
}

interface WriteOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const namespaceOf = (resource: Resource, object: KubeObject) => (resource.namespaced ? (object.metadata.namespace ?? 'default') : undefined);

/** Server-side apply. Fields that others own and that differ are a `Conflict`, unless forced. */
export function apply(resource: Resource, object: KubeObject, { force = false, dryRun = false }: WriteOptions = {}): Promise<KubeObject> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', force: String(force), ...(dryRun ? { dryRun: 'All' } : {}) });
  const path = k8s(objectPath(resource, namespaceOf(resource, object), object.metadata.name));
  const body = JSON.stringify(applied(object));
  return json<KubeObject>(`${path}?${query}`, { method: 'PATCH', contentType: 'application/apply-patch+yaml', body, repeatable: true });
}

/** The whole object as it was edited; a `Conflict` when somebody changed it meanwhile. */
export function replace(resource: Resource, object: KubeObject): Promise<KubeObject> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' });
  const path = k8s(objectPath(resource, namespaceOf(resource, object), object.metadata.name));
  return json<KubeObject>(`${path}?${query}`, { method: 'PUT', contentType: 'application/json', body: JSON.stringify(object) });
}

export function create(resource: Resource, object: KubeObject): Promise<KubeObject> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' });
  const path = k8s(collectionPath(resource, namespaceOf(resource, object)));
  return json<KubeObject>(`${path}?${query}`, { method: 'POST', contentType: 'application/json', body: JSON.stringify(object) });
}
