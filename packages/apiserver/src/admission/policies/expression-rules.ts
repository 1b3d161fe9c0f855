import type { FieldError, KubeObject, ResourceDefinition } from '@coxswain/api';
import { fieldErrors, lookupSchema } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import { type CelEnvironment, compile, resultType } from '@coxswain/cel';
import { conditionCheckEnvironment } from '../matching/match-conditions.js';
import { expandObjects } from './expand-objects.js';
import { type PolicyVariable, typedEnvironment, variableEnvironments, withVariables } from './typed-environment.js';

const GROUP = 'admissionregistration.k8s.io';

interface Expression {
  readonly field: string;
  readonly source: string | undefined;
  /** As the user wrote it, when that is not what is compiled. */
  readonly written?: string | undefined;
  /** What it may result in; absent: anything. */
  readonly types?: readonly string[] | { readonly text: string; readonly fits: (found: string) => boolean };
}

/** Definitions of admission configuration with the rule that their expressions compile; other definitions as they are. */
export function withExpressionRules(definition: ResourceDefinition): ResourceDefinition {
  if (definition.group !== GROUP) return definition;
  const check = checkOf(definition.kind);
  if (!check) return definition;
  const { strategy } = definition;
  return {
    ...definition,
    strategy: {
      ...strategy,
      validate: (object) => [...(strategy.validate?.(object) ?? []), ...check(object)],
      validateUpdate: (object, old) => [...(strategy.validateUpdate?.(object, old) ?? []), ...newProblems(check, object, old)],
    },
  };
}

type Check = (object: KubeObject) => FieldError[];

/** What was stored once may stay, also when it would not be taken today. */
function newProblems(check: Check, object: KubeObject, old: KubeObject): FieldError[] {
  if (deepEqual(object['spec'], old['spec']) && deepEqual(object['webhooks'], old['webhooks'])) return [];
  const problems = check(object);
  if (problems.length === 0) return problems;
  const known = new Set(check(old).map(({ message }) => message));
  return problems.filter(({ message }) => !known.has(message));
}

function checkOf(kind: string): Check | undefined {
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
      return ({ spec }) => checkPolicy(spec, mutations(spec), [], expandObjects);
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
      mutation(`spec.mutations[${i}].applyConfiguration.expression`, applyConfiguration?.expression, 'Object', /^map<|^map$/),
      mutation(`spec.mutations[${i}].jsonPatch.expression`, jsonPatch?.expression, 'list(JSONPatch)', /^list<|^list$/),
    ],
  );
}

/** Objects are maps here: one whose expression names no type of objects, and no variable that may hold one, is none. */
function mutation(field: string, written: string | undefined, result: string, shape: RegExp): Expression {
  const constructs = written !== undefined && /\b(?:Object|JSONPatch|variables)\b/.test(written);
  // A list without items is one of anything.
  const fits = (found: string) => shape.test(found) && (constructs || /^(?:list|map)(?:<(?:dyn|[A-Z]\w*)\b.*)?$/.test(found));
  return { field, written, source: written && expandObjects(written), types: { text: result, fits } };
}

/** Each kind of expression knows other variables: conditions no `variables`, messages no authorizer, and no policy without a `paramKind` has `params`. */
function checkPolicy(spec: Spec, rules: readonly Expression[], texts: readonly Expression[], expand = (source: string) => source): FieldError[] {
  const params = spec?.['paramKind'] !== undefined;
  const written = listOf<PolicyVariable>(spec, 'variables');
  const variables = written.map((variable) => ({ ...variable, expression: expand(variable.expression) }));
  const ruleEnvironment = environmentOf(params, true);
  const known = (environment: CelEnvironment): CelEnvironment => (variables.length > 0 ? withVariables(environment, variables) : environment);
  const steps = variables.length > 0 ? variableEnvironments(ruleEnvironment, variables) : [ruleEnvironment];
  return [
    ...checkAll(conditions(spec, 'spec'), ruleEnvironment),
    ...variables.flatMap(({ expression }, i) =>
      checkAll([{ field: `spec.variables[${i}].expression`, source: expression, written: written[i]?.expression }], steps[i] as CelEnvironment),
    ),
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
  return expressions.flatMap(({ field, source, written = source, types }) => {
    if (!source?.trim()) return [];
    try {
      compile(environment, source);
    } catch (error) {
      return [fieldErrors.invalid(field, written, (error as Error).message)];
    }
    const found = resultType(environment, source) ?? 'dyn';
    // What cannot be told beforehand is seen when it runs.
    if (!types || found === 'dyn' || ('text' in types ? types.fits(found) : types.includes(found))) return [];
    const wanted = 'text' in types ? types.text : types.length === 1 ? types[0] : `one of [${types.map(typeText).join(' ')}]`;
    return [fieldErrors.invalid(field, written, `must evaluate to ${wanted} but got ${typeText(found)}`)];
  });
}

const typeText = (type: string): string => (type === 'null' ? 'null_type' : type.replaceAll('<', '(').replaceAll('>', ')'));
