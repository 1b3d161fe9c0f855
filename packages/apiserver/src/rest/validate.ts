import type { FieldError, KubeObject, ResourceStrategy } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceHooks } from './resource-hooks.js';

/** Throws 422 with every failed rule as a cause. */
export function validateNew(served: ServedResource, object: KubeObject, hooks: ResourceHooks | undefined): void {
  const found = served.definition.strategy.validate?.(object) ?? [];
  // Only what is well formed is looked at more closely.
  const errors = found.length > 0 ? found : (hooks?.validate?.(object, undefined) ?? []);
  if (errors.length > 0) refuse(served, object, errors);
}

export function validateChanged(
  served: ServedResource,
  strategy: ResourceStrategy,
  object: KubeObject,
  old: KubeObject,
  hooks: ResourceHooks | undefined,
): void {
  const found = [...(strategy.updateIsWhole ? [] : (strategy.validate?.(object) ?? [])), ...(strategy.validateUpdate?.(object, old) ?? [])];
  const errors = found.length > 0 ? found : (hooks?.validate?.(object, old) ?? []);
  if (errors.length > 0) refuse(served, object, errors);
}

function refuse(served: ServedResource, object: KubeObject, errors: readonly FieldError[]): never {
  const { group, kind } = served.definition;
  throw ApiError.invalid({ group, kind }, object.metadata.name ?? '', errors);
}
