import type { FieldError, KubeObject, ResourceDefinition } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { type CelEnvironment, checkTypes, compile } from '@coxswain/cel';
import { conditionEnvironment } from '../matching/match-conditions.js';
import { expandObjects } from './expand-objects.js';
import { namingEnvironment, policyEnvironment } from './policy-environment.js';

const GROUP = 'admissionregistration.k8s.io';

interface Expression {
  readonly field: string;
  readonly source: string | undefined;
  readonly type?: 'bool' | 'string';
  /** Of a policy's variables: how many come before. Others come after all. */
  readonly before?: number;
}

/** Definitions of admission configuration with the rule that their expressions compile; other definitions as they are. */
export function withExpressionRules(definition: ResourceDefinition): ResourceDefinition {
  if (definition.group !== GROUP) return definition;
  const check = checkOf(definition.kind);
  if (!check) return definition;
  const { strategy } = definition;
  return { ...definition, strategy: { ...strategy, validate: (object) => [...(strategy.validate?.(object) ?? []), ...check(object)] } };
}

function checkOf(kind: string): ((object: KubeObject) => FieldError[]) | undefined {
  switch (kind) {
    case 'ValidatingWebhookConfiguration':
    case 'MutatingWebhookConfiguration':
      return (object) =>
        ((object.webhooks ?? []) as { matchConditions?: { expression: string }[] }[]).flatMap((webhook, i) =>
          checkAll(conditions(webhook, `webhooks[${i}]`), conditionEnvironment()),
        );
    case 'ValidatingAdmissionPolicy':
      return ({ spec }) => checkPolicy(spec, [...conditions(spec, 'spec'), ...variables(spec), ...validations(spec)]);
    case 'MutatingAdmissionPolicy':
      return ({ spec }) => checkPolicy(spec, [...conditions(spec, 'spec'), ...variables(spec), ...mutations(spec)]);
    default:
      return undefined;
  }
}

type Spec = Readonly<Record<string, unknown>> | undefined;
const listOf = <T>(spec: Spec, key: string): readonly T[] => (spec?.[key] as readonly T[] | undefined) ?? [];

function conditions(spec: Spec | object, path: string): Expression[] {
  return listOf<{ expression: string }>(spec as Spec, 'matchConditions').map(({ expression }, i) => ({
    field: `${path}.matchConditions[${i}].expression`,
    source: expression,
    type: 'bool',
  }));
}

const variables = (spec: Spec): Expression[] =>
  listOf<{ expression: string }>(spec, 'variables').map(({ expression }, i) => ({ field: `spec.variables[${i}].expression`, source: expression, before: i }));

function validations(spec: Spec): Expression[] {
  return [
    ...listOf<{ expression: string; messageExpression?: string }>(spec, 'validations').flatMap(({ expression, messageExpression }, i): Expression[] => [
      { field: `spec.validations[${i}].expression`, source: expression, type: 'bool' },
      { field: `spec.validations[${i}].messageExpression`, source: messageExpression, type: 'string' },
    ]),
    ...listOf<{ valueExpression: string }>(spec, 'auditAnnotations').map(({ valueExpression }, i) => ({
      field: `spec.auditAnnotations[${i}].valueExpression`,
      source: valueExpression,
    })),
  ];
}

function mutations(spec: Spec): Expression[] {
  return listOf<{ applyConfiguration?: { expression?: string }; jsonPatch?: { expression?: string } }>(spec, 'mutations').flatMap(
    ({ applyConfiguration, jsonPatch }, i) => [
      { field: `spec.mutations[${i}].applyConfiguration.expression`, source: applyConfiguration?.expression && expandObjects(applyConfiguration.expression) },
      { field: `spec.mutations[${i}].jsonPatch.expression`, source: jsonPatch?.expression && expandObjects(jsonPatch.expression) },
    ],
  );
}

function checkAll(expressions: readonly Expression[], environment: CelEnvironment): FieldError[] {
  return expressions.flatMap(({ field, source, type }) => {
    if (!source?.trim()) return [];
    try {
      compile(environment, source, type);
      return [];
    } catch (error) {
      return [fieldErrors.invalid(field, source, (error as Error).message)];
    }
  });
}

const UNKNOWN_NAME = /: (?:undefined field '.*'|undeclared reference to 'params' \(in container ''\))$/;

/** Besides, they name only variables that come before them, and `params` where the policy has some. */
function checkPolicy(spec: Spec, expressions: readonly Expression[]): FieldError[] {
  const names = listOf<{ name: string }>(spec, 'variables').map(({ name }) => name);
  const known = new Map<number, CelEnvironment>();
  const naming = (before: number): CelEnvironment => {
    let environment = known.get(before);
    if (!environment) known.set(before, (environment = namingEnvironment(names.slice(0, before), spec?.paramKind !== undefined)));
    return environment;
  };
  return expressions.flatMap((expression) => {
    const errors = checkAll([expression], policyEnvironment());
    const { field, source, before = names.length } = expression;
    if (errors.length > 0 || !source?.trim() || !/\b(?:variables|params)\b/.test(source)) return errors;
    const { warning = '' } = checkTypes(naming(before), source);
    return UNKNOWN_NAME.test(warning.split('\n')[0] ?? '') ? [fieldErrors.invalid(field, source, `compilation failed: ${warning}`)] : [];
  });
}
