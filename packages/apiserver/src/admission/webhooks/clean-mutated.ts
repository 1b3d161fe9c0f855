import type { JsonObject, KubeObject } from '@coxswain/api';
import { decode } from '@coxswain/api';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';

/** What a webhook or policy made of the object, brought into the form of its type: unknown fields go, defaults come. Throws for wrong types. */
export function cleanMutated(registry: ResourceRegistry, { resource, kind }: AdmissionRequest, object: KubeObject): KubeObject {
  const served = registry.find(resource.group, resource.version, resource.resource);
  // A Scale, a Binding: not of the resource's type.
  if (!served || served.definition.kind !== kind.kind) return object;
  const { errors } = served.shape ? served.shape(object, false) : decode(object as JsonObject, served.definition.schema, { lookup: served.lookup });
  if (errors.length > 0) throw new Error(errors[0]);
  served.definition.strategy.default?.(object);
  return object;
}
