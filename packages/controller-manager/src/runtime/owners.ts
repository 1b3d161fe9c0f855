import type { KubeObject, OwnerReference } from '@coxswain/api';

type Owned = { readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] } };
export interface OwnerKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The owner that manages the object, if any. */
export const controllerOf = (object: Owned): OwnerReference | undefined => object.metadata.ownerReferences?.find((o) => o.controller);

/** Whether it is managed by this very owner. */
export const isControlledBy = (object: Owned, owner: { readonly metadata: { readonly uid?: string } }): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid;

export function controllerRef(owner: Pick<KubeObject, 'metadata'>, { apiVersion, kind }: OwnerKind): OwnerReference {
  return { apiVersion, kind, name: owner.metadata.name ?? '', uid: owner.metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

/** Queue key of the owner of this kind that manages the object. */
export function ownerKey(object: KubeObject, { apiVersion, kind }: OwnerKind): string | undefined {
  const ref = controllerOf(object as Owned);
  if (!ref || ref.kind !== kind || groupOf(ref.apiVersion) !== groupOf(apiVersion)) return undefined;
  return `${object.metadata.namespace ?? ''}/${ref.name}`;
}

/** The group of `apps/v1`, and of `v1`, which is ''. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '');
