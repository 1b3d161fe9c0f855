import type { KubeObject, OwnerReference } from '@coxswain/api';
import { formatGroupVersion } from '@coxswain/apimachinery';

/** The kind of an owner, for references to it. */
export interface OwnerKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The reference that says who manages the object; there is one at most. */
export function controllerOf(object: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((ref) => ref.controller === true);
}

export function isControlledBy(object: Pick<KubeObject, 'metadata'>, owner: Pick<KubeObject, 'metadata'>): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** A reference that makes `owner` the controller, and holds its foreground deletion until the object is gone. */
export function newControllerRef(owner: Pick<KubeObject, 'metadata'>, kind: OwnerKind): OwnerReference {
  return {
    apiVersion: formatGroupVersion(kind),
    kind: kind.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    blockOwnerDeletion: true,
    controller: true,
  };
}
