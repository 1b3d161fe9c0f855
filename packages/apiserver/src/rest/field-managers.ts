import type { KubeObject, TypeSchema } from '@coxswain/api';
import { FieldSet, updateManagedFields } from '@coxswain/apimachinery';
import type { FieldManagement } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';

const STATUS = FieldSet.ofPaths(['status']);
const SPEC = FieldSet.ofPaths(['spec']);

const made = new WeakMap<ServedResource, Map<string, FieldManagement>>();

/** What field management has to know of a resource and subresource; made once, and again when the resource's first or last sibling comes or goes. */
export function fieldManagement(served: ServedResource, subresource: string): FieldManagement {
  let ofResource = made.get(served);
  if (!ofResource) made.set(served, (ofResource = new Map()));
  let management = ofResource.get(subresource);
  if (!management || (management.convert === undefined) !== (served.siblings === undefined))
    ofResource.set(subresource, (management = makeManagement(served, subresource)));
  return management;
}

function makeManagement(served: ServedResource, subresource: string): FieldManagement {
  const convert = converter(served);
  const resetFields = resetFieldsOf(served, subresource);
  return {
    schema: served.schema,
    lookup: served.lookup,
    apiVersion: served.codec.apiVersion,
    ...(subresource === '' ? {} : { subresource }),
    ...(resetFields ? { resetFields } : {}),
    ...(convert ? { convert } : {}),
  };
}

/** Note who set which fields with a create or update; changes `object.metadata.managedFields`. */
export function recordManager(
  served: ServedResource,
  old: KubeObject | undefined,
  object: KubeObject,
  manager: string,
  subresource: string,
  now: number,
): void {
  updateManagedFields({ ...fieldManagement(served, subresource), old, object, manager, now });
}

function resetFieldsOf(served: ServedResource, subresource: string): FieldSet | undefined {
  if (subresource === 'status') return SPEC;
  return served.definition.subresources.some((sub) => sub.type === 'status') ? STATUS : undefined;
}

/** Fields written in another served version are compared in that version. */
function converter(served: ServedResource): ((object: KubeObject, apiVersion: string) => { object: KubeObject; schema: TypeSchema } | undefined) | undefined {
  return served.siblings ? (object, apiVersion) => served.siblings?.(object, apiVersion) : undefined;
}
