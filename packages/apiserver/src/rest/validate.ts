import type { FieldError, KubeObject, ResourceStrategy } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';

/** Throws 422 with every failed rule as a cause. */
export function validateNew(served: ServedResource, object: KubeObject): void {
  const errors = served.definition.strategy.validate?.(object) ?? [];
  if (errors.length > 0) refuse(served, object, errors);
}

export function validateChanged(served: ServedResource, strategy: ResourceStrategy, object: KubeObject, old: KubeObject): void {
  const errors = [...(strategy.updateIsWhole ? [] : (strategy.validate?.(object) ?? [])), ...(strategy.validateUpdate?.(object, old) ?? [])];
  if (errors.length > 0) refuse(served, object, errors);
}

function refuse(served: ServedResource, object: KubeObject, errors: readonly FieldError[]): never {
  const { group, kind } = served.definition;
  throw ApiError.invalid({ group, kind }, object.metadata.name ?? '', errors);
}
