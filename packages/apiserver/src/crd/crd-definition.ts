import type { ResourceDefinition } from '@coxswain/api';
import type { Crd } from './json-schema.js';
import { validateCrd } from './validate-crd.js';

/** The built-in definition of CRDs with the rules that need the schema machinery; other definitions as they are. */
export function withCrdRules(definition: ResourceDefinition): ResourceDefinition {
  if (definition.group !== 'apiextensions.k8s.io' || definition.resource !== 'customresourcedefinitions') return definition;
  const { strategy } = definition;
  return {
    ...definition,
    strategy: {
      ...strategy,
      updateIsWhole: true,
      validate: (object) => distinct([...(strategy.validate?.(object) ?? []), ...validateCrd(object as Crd)]),
      validateUpdate: (object, old) => distinct([...(strategy.validate?.(object) ?? []), ...(strategy.validateUpdate?.(object, old) ?? []), ...validateCrd(object as Crd, old as Crd)]),
    },
  };
}

/** Two validators of the same metadata say the same. */
function distinct<T extends { readonly field: string; readonly message: string }>(errors: readonly T[]): T[] {
  return [...new Map(errors.map((error) => [`${error.field}\n${error.message}`, error])).values()];
}
