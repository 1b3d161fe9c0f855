import type { ResourceDefinition } from '@coxswain/api';
import { validateObjectMeta, validateObjectMetaUpdate } from '@coxswain/api';
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
      validate: (object) => validateCrd(object as Crd),
      validateUpdate: (object, old) => [
        ...validateObjectMeta(object, { namespaced: false }),
        ...validateObjectMetaUpdate(object, old),
        ...validateCrd(object as Crd, old as Crd),
      ],
    },
  };
}
