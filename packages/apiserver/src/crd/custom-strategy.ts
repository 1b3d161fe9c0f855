import type { FieldError, KubeObject, ResourceStrategy } from '@coxswain/api';
import { validateObjectMeta, validateObjectMetaUpdate } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import { applyDefaults, hasDefaults } from './defaults.js';
import type { JsonSchema } from './json-schema.js';
import { validateValue } from './validate-value.js';

/** Rules in CEL; `old` is absent on create. */
export type RuleCheck = (object: KubeObject, old: KubeObject | undefined) => FieldError[];

export interface CustomRules {
  readonly schema: JsonSchema;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
  readonly rules: RuleCheck | undefined;
}

/** What writes to custom resources go by. */
export function customStrategy({ schema, namespaced, hasStatus, rules }: CustomRules): ResourceStrategy {
  const checks = valueChecks(schema, rules);
  return {
    allowUnconditionalUpdate: false,
    updateIsWhole: true,
    ...(hasDefaults(schema) ? { default: (object: KubeObject) => applyDefaults(object, schema) } : {}),
    prepareForCreate(object) {
      if (hasStatus) delete object.status;
      object.metadata.generation = 1;
    },
    prepareForUpdate(object, old) {
      if (hasStatus) {
        if (old.status === undefined) delete object.status;
        else object.status = old.status;
      }
      const generation = old.metadata.generation ?? 0;
      if (!deepEqual(contentOf(object, hasStatus), contentOf(old, hasStatus))) object.metadata.generation = generation + 1;
      else if (old.metadata.generation === undefined) delete object.metadata.generation;
      else object.metadata.generation = generation;
    },
    validate: (object) => [...validateObjectMeta(object, { namespaced }), ...checks(object, undefined)],
    validateUpdate: (object, old) => [...validateObjectMeta(object, { namespaced }), ...validateObjectMetaUpdate(object, old), ...checks(object, old)],
  };
}

/** What writes to their status go by: only that and the managers change. */
export function customStatusStrategy({ schema, namespaced, rules }: CustomRules): ResourceStrategy {
  const checks = valueChecks(schema, rules);
  return {
    allowUnconditionalUpdate: false,
    updateIsWhole: true,
    prepareForUpdate(object, old) {
      const { managedFields } = object.metadata;
      object.metadata = { ...old.metadata };
      if (managedFields) object.metadata.managedFields = managedFields;
      else delete object.metadata.managedFields;
    },
    validateUpdate: (object, old) => [...validateObjectMeta(object, { namespaced }), ...validateObjectMetaUpdate(object, old), ...checks(object, old)],
  };
}

/** The schema first; rules run only on what has the right shape. */
function valueChecks(schema: JsonSchema, rules: RuleCheck | undefined): (object: KubeObject, old: KubeObject | undefined) => FieldError[] {
  return (object, old) => {
    const errors = old === undefined ? validateValue(object, schema) : validateValue(object, schema, old);
    if (!rules || errors.some(({ type }) => type === 'FieldValueTypeInvalid' || type === 'FieldValueTooLong' || type === 'FieldValueTooMany')) return errors;
    return [...errors, ...rules(object, old)];
  };
}

function contentOf({ metadata: _metadata, ...rest }: KubeObject, hasStatus: boolean): object {
  if (!hasStatus) return rest;
  const { status: _status, ...spec } = rest;
  return spec;
}
