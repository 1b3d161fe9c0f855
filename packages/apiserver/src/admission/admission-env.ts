import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionRequest, Clock, Random } from '@coxswain/sdk';
import type { Authorization } from '../auth/authorization.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';

/** What the built-in plugins look things up in. */
export interface AdmissionEnv {
  readonly registry: ResourceRegistry;
  readonly authorization: Authorization;
  readonly clock: Clock;
  readonly random: Random;
}

/** A live object; undefined when there is none. Not to be changed. */
export function lookup(env: AdmissionEnv, group: string, resource: string, namespace: string, name: string): KubeObject | undefined {
  return env.registry.storage(group, resource).cache.get(namespace, name)?.object;
}

export function* objects(env: AdmissionEnv, group: string, resource: string, namespace?: string): IterableIterator<KubeObject> {
  const { cache } = env.registry.storage(group, resource);
  for (const stored of namespace === undefined ? cache.all() : cache.inNamespace(namespace)) yield stored.object;
}

export function isFor(request: AdmissionRequest, group: string, resource: string, subresource = ''): boolean {
  return request.resource.group === group && request.resource.resource === resource && request.subresource === subresource;
}

/** Of what is asked for. A name that is generated is there when the object is validated; before, it is known by what it will begin with. */
export const nameOf = ({ name, object }: AdmissionRequest): string => name || object?.metadata.name || object?.metadata.generateName || 'Unknown';

export function refuse(request: AdmissionRequest, why: string): never {
  throw ApiError.forbidden({ group: request.resource.group, resource: request.resource.resource }, nameOf(request), why);
}
