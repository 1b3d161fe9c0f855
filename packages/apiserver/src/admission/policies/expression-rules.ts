import type { FieldError, KubeObject, ResourceDefinition } from '@coxswain/api';
import { fieldErrors, lookupSchema } from '@coxswain/api';
import { type CelEnvironment, compile, resultType } from '@coxswain/cel';
import { conditionCheckEnvironment } from '../matching/match-conditions.js';
import { expandObjects } from './expand-objects.js';
import { type PolicyVariable, typedEnvironment, variableEnvironments, withVariables } from './typed-environment.js';

const GROUP = 'admissionregistration.k8s.io';

interface Expression {
  readonly field: string;
  readonly source: string | undefined;
  /** What it may result in; absent: anything. */
  readonly types?: readonly string[];
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
          checkAll(conditions(webhook, `webhooks[${i}]`), conditionCheckEnvironment()),
        );
    case 'ValidatingAdmissionPolicy':
      return ({ spec }) => checkPolicy(spec, validations(spec), messages(spec));
    case 'MutatingAdmissionPolicy':
      return ({ spec }) => checkPolicy(spec, mutations(spec), []);
    default:
      return undefined;
  }
}

const BOOL = ['bool'];

type Spec = Readonly<Record<string, unknown>> | undefined;
const listOf = <T>(spec: Spec, key: string): readonly T[] => (spec?.[key] as readonly T[] | undefined) ?? [];

function conditions(spec: Spec | object, path: string): Expression[] {
  return listOf<{ expression: string }>(spec as Spec, 'matchConditions').map(({ expression }, i) => ({
    field: `${path}.matchConditions[${i}].expression`,
    source: expression,
    types: BOOL,
  }));
}

function validations(spec: Spec): Expression[] {
  return [
    ...listOf<{ expression: string }>(spec, 'validations').map(({ expression }, i): Expression => {
      return { field: `spec.validations[${i}].expression`, source: expression, types: BOOL };
    }),
    ...listOf<{ valueExpression: string }>(spec, 'auditAnnotations').map(({ valueExpression }, i): Expression => {
      return { field: `spec.auditAnnotations[${i}].valueExpression`, source: valueExpression, types: ['string', 'null'] };
    }),
  ];
}

const messages = (spec: Spec): Expression[] =>
  listOf<{ messageExpression?: string }>(spec, 'validations').map(({ messageExpression }, i) => {
    return { field: `spec.validations[${i}].messageExpression`, source: messageExpression, types: ['string'] };
  });

function mutations(spec: Spec): Expression[] {
  return listOf<{ applyConfiguration?: { expression?: string }; jsonPatch?: { expression?: string } }>(spec, 'mutations').flatMap(
    ({ applyConfiguration, jsonPatch }, i) => [
      { field: `spec.mutations[${i}].applyConfiguration.expression`, source: applyConfiguration?.expression && expandObjects(applyConfiguration.expression) },
      { field: `spec.mutations[${i}].jsonPatch.expression`, source: jsonPatch?.expression && expandObjects(jsonPatch.expression) },
    ],
  );
}

/** Each kind of expression knows other variables: conditions no `variables`, messages no authorizer, and no policy without a `paramKind` has `params`. */
function checkPolicy(spec: Spec, rules: readonly Expression[], texts: readonly Expression[]): FieldError[] {
  const params = spec?.['paramKind'] !== undefined;
  const variables = listOf<PolicyVariable>(spec, 'variables');
  const ruleEnvironment = environmentOf(params, true);
  const known = (environment: CelEnvironment): CelEnvironment => (variables.length > 0 ? withVariables(environment, variables) : environment);
  const steps = variables.length > 0 ? variableEnvironments(ruleEnvironment, variables) : [ruleEnvironment];
  return [
    ...checkAll(conditions(spec, 'spec'), ruleEnvironment),
    ...variables.flatMap(({ expression }, i) => checkAll([{ field: `spec.variables[${i}].expression`, source: expression }], steps[i] as CelEnvironment)),
    ...checkAll(rules, steps.at(-1) as CelEnvironment),
    ...(texts.some(({ source }) => source) ? checkAll(texts, known(environmentOf(params, false))) : []),
  ];
}

const environments = new Map<string, CelEnvironment>();

function environmentOf(params: boolean, authorizer: boolean): CelEnvironment {
  const key = `${params} ${authorizer}`;
  let environment = environments.get(key);
  if (!environment) environments.set(key, (environment = typedEnvironment({ params: params ? 'any' : undefined, authorizer, lookup: lookupSchema })));
  return environment;
}

function checkAll(expressions: readonly Expression[], environment: CelEnvironment): FieldError[] {
  return expressions.flatMap(({ field, source, types }) => {
    if (!source?.trim()) return [];
    try {
      compile(environment, source);
    } catch (error) {
      return [fieldErrors.invalid(field, source, (error as Error).message)];
    }
    const found = resultType(environment, source) ?? 'dyn';
    // What cannot be told beforehand is seen when it runs.
    if (!types || found === 'dyn' || types.includes(found)) return [];
    return [
      fieldErrors.invalid(
        field,
        source,
        `must evaluate to ${types.length === 1 ? types[0] : `one of [${types.map(typeText).join(' ')}]`} but got ${typeText(found)}`,
      ),
    ];
  });
}

const typeText = (type: string): string => (type === 'null' ? 'null_type' : type.replaceAll('<', '(').replaceAll('>', ')'));
