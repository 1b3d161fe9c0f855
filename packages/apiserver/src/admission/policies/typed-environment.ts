import type { SchemaLookup, TypeSchema } from '@coxswain/api';
import { CelEnvironment, declareType, resultType } from '@coxswain/cel';
import type { Environment } from '@marcbachmann/cel-js';
import { declareNamespaceObject, declareRequest } from '../matching/admission-types.js';
import { policyFunctions } from './policy-environment.js';

/** A type under the name that messages say. */
export interface NamedType {
  readonly name: string;
  readonly schema: TypeSchema;
}

export interface PolicyTypes {
  /** Of `object` and `oldObject`; absent: any. */
  readonly object?: NamedType;
  /** Of `params`; `any` when it is not known; absent: there are none to speak of. */
  readonly params?: NamedType | 'any' | undefined;
  readonly lookup: SchemaLookup;
  /** Whether expressions may ask the authorizer; default true. */
  readonly authorizer?: boolean;
}

/** A variable of a policy. */
export interface PolicyVariable {
  readonly name: string;
  readonly expression: string;
}

/** For checking the expressions of a policy, not for running them: what upstream's compiler knows of each variable. */
export function typedEnvironment({ object, params, lookup, authorizer = true }: PolicyTypes): CelEnvironment {
  return new CelEnvironment(authorizer ? ['authorizer'] : [], (env) => {
    policyFunctions(env);
    declareRequest(env);
    declareNamespaceObject(env);
    const type = object ? declareType(env, object.name, object.schema, lookup) : 'dyn';
    for (const name of ['object', 'oldObject']) env.registerVariable(name, type);
    if (params) env.registerVariable('params', params === 'any' ? 'dyn' : declareType(env, params.name, params.schema, lookup));
  });
}

const VARIABLES_TYPE = 'kubernetes.variables';

/**
 * With `variables`, each field of the type that its expression results in. One that does not compile fits everything: what is wrong with it
 * is said of itself.
 */
export const withVariables = (environment: CelEnvironment, variables: readonly PolicyVariable[]): CelEnvironment =>
  variableEnvironments(environment, variables).at(-1) as CelEnvironment;

/** One for each variable, which knows those before it, and one that knows all of them. */
export function variableEnvironments(environment: CelEnvironment, variables: readonly PolicyVariable[]): CelEnvironment[] {
  const fields: Record<string, string> = {};
  let known = withFields(environment, fields);
  const all = [known];
  for (const { name, expression } of variables) {
    fields[name] = fieldType(resultType(known, expression));
    all.push((known = withFields(environment, fields)));
  }
  return all;
}

function withFields(from: CelEnvironment, fields: Readonly<Record<string, string>>): CelEnvironment {
  const declare = (env: Environment): void => {
    // A type is nothing without a field.
    env.registerType(VARIABLES_TYPE, { fields: Object.keys(fields).length > 0 ? { ...fields } : { '': 'dyn' } });
    env.registerVariable('variables', VARIABLES_TYPE);
  };
  return new CelEnvironment([], declare, from);
}

const SCALARS = new Set(['bool', 'bytes', 'double', 'int', 'null', 'string', 'uint', 'google.protobuf.Duration', 'google.protobuf.Timestamp']);

/** Scalars, and lists and maps of them, keep their type; objects do not. */
function fieldType(type: string | undefined): string {
  if (type === undefined) return 'dyn';
  if (SCALARS.has(type)) return type;
  const list = /^list<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return `list<${fieldType(list)}>`;
  const [, key, value] = /^map<([^,<>]*), (.*)>$/.exec(type) ?? [];
  return key !== undefined && value !== undefined ? `map<${fieldType(key)}, ${fieldType(value)}>` : 'dyn';
}
