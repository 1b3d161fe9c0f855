import type { KubeObject, LabelSelector } from '@coxswain/api';
import { labelSelectorFromObject, parseGroupVersion } from '@coxswain/apimachinery';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';

export interface ParamKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly parameterNotFoundAction?: string;
}

/** The parameters a binding applies a policy with; [undefined] when it takes none, [] when it is not to apply. Throws what is wrong. */
export function findParams(
  registry: ResourceRegistry,
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  request: AdmissionRequest,
): readonly (KubeObject | undefined)[] {
  if (!kind) return [undefined];
  // A policy with parameters bound without: its expressions see null.
  if (!ref) return [undefined];
  const { group, version } = parseGroupVersion(kind.apiVersion);
  const served = registry.findKind(group, version, kind.kind);
  if (!served?.storage) throw new Error(`failed to find resource referenced by paramKind: '${kind.apiVersion}, Kind=${kind.kind}'`);
  const { cache } = served.storage;
  const { namespaced } = served.definition;
  if (!namespaced && ref.namespace) throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const namespace = namespaced ? (ref.namespace ?? request.namespace) : '';
  if (namespaced && namespace === '') throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found: KubeObject[] = [];
  if (ref.name) {
    const one = cache.get(namespace, ref.name);
    if (one) found.push(served.codec.object(one));
  } else if (ref.selector) {
    const selector = labelSelectorFromObject(ref.selector);
    for (const stored of cache.inNamespace(namespace)) if (selector.matches(stored.object.metadata.labels)) found.push(served.codec.object(stored));
  }
  if (found.length > 0) return found;
  if (ref.parameterNotFoundAction === 'Allow') return [];
  throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
}
