import type { KubeObject } from '@coxswain/api';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { Environment } from '@marcbachmann/cel-js';
import { Budget, CelEnvironment, compile, type Program, RUNTIME_BUDGET, toCel } from '@coxswain/cel';
import type { AdmissionEnv } from '../admission-env.js';
import { admissionVariables } from '../matching/admission-variables.js';
import { registerAuthorizer } from '../matching/authorizer-library.js';
import { namespaceObject } from '../matching/match-selectors.js';

/** `variables` of a policy: each is worked out when first asked for. */
class Variables {}

class JsonPatchNamespace {}

const VARIABLES = ['object', 'oldObject', 'request', 'authorizer', 'namespaceObject', 'params', 'variables'];

/** What expressions of policies may call. */
export function policyFunctions(env: Environment): void {
  registerAuthorizer(env);
  env.registerType('Variables', Variables);
  env.registerType('JsonPatchNamespace', JsonPatchNamespace);
  env.registerConstant('jsonpatch', 'JsonPatchNamespace', new JsonPatchNamespace());
  env.registerFunction('JsonPatchNamespace.escapeKey(string): string', (_: JsonPatchNamespace, key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'));
}

let environment: CelEnvironment | undefined;

/** For expressions of admission policies. */
export const policyEnvironment = (): CelEnvironment => (environment ??= new CelEnvironment(VARIABLES, policyFunctions));

export type CompiledExpression = Program | { readonly failed: string };

export function compileExpression(source: string, type?: 'bool' | 'string'): CompiledExpression {
  try {
    return compile(policyEnvironment(), source, type);
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

export interface NamedExpression {
  readonly name: string;
  readonly program: CompiledExpression;
}

/** Values for the expressions of one policy over one request, and the budget they share. */
export interface Evaluation {
  readonly values: Readonly<Record<string, unknown>>;
  readonly budget: Budget;
}

export function evaluation(env: AdmissionEnv, request: AdmissionRequest, params: KubeObject | undefined, variables: readonly NamedExpression[]): Evaluation {
  const budget = new Budget(RUNTIME_BUDGET);
  const lazy = new Variables();
  const namespaced = request.namespace !== '' && !(request.resource.group === '' && request.resource.resource === 'namespaces');
  const values: Record<string, unknown> = {
    ...admissionVariables(request, env.authorization),
    params: params ? toCel(params) : null,
    namespaceObject: namespaced ? toCel(withoutManagement(namespaceObject(request.namespace, env.registry))) : null,
    variables: lazy,
  };
  for (const { name, program } of variables) {
    let known: { readonly value: unknown } | undefined;
    Object.defineProperty(lazy, name, {
      enumerable: true,
      get() {
        if ('failed' in program) throw new Error(program.failed);
        known ??= { value: program.run(values, budget) };
        return known.value;
      },
    });
  }
  return { values, budget };
}

function withoutManagement(namespace: KubeObject): KubeObject {
  const { managedFields: _managed, ...metadata } = namespace.metadata;
  return { ...namespace, metadata };
}
