import type { KubeObject, LabelSelector } from '@coxswain/api';
import { ApiError, labelSelectorFromObject } from '@coxswain/apimachinery';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0);

/** Whether the labels of the request's namespace are selected. Objects outside of namespaces always are. Throws 404 for a missing namespace. */
export function matchesNamespace(selector: LabelSelector | undefined, request: AdmissionRequest, registry: ResourceRegistry): boolean {
  if (isEmpty(selector)) return true;
  const isNamespace = request.resource.group === '' && request.resource.resource === 'namespaces';
  if (request.namespace === '' && !isNamespace) return true;
  const labels = isNamespace ? labelsOfNamespaceRequest(request, registry) : namespaceObject(request.namespace, registry).metadata.labels;
  return labelSelectorFromObject(selector as LabelSelector).matches(labels);
}

function labelsOfNamespaceRequest({ operation, object, name }: AdmissionRequest, registry: ResourceRegistry): Readonly<Record<string, string>> | undefined {
  if ((operation === 'CREATE' || operation === 'UPDATE') && object) return object.metadata.labels;
  return namespaceObject(name, registry).metadata.labels;
}

export function namespaceObject(name: string, registry: ResourceRegistry): KubeObject {
  const found = registry.storage('', 'namespaces').cache.get('', name)?.object;
  if (!found) throw ApiError.notFound({ group: '', resource: 'namespaces' }, name);
  return found;
}

/** Whether the labels of the new or of the old object are selected. */
export function matchesObject(selector: LabelSelector | undefined, { object, oldObject }: AdmissionRequest): boolean {
  if (isEmpty(selector)) return true;
  const parsed = labelSelectorFromObject(selector as LabelSelector);
  return [object, oldObject].some((each) => each !== undefined && parsed.matches(each.metadata?.labels));
}
