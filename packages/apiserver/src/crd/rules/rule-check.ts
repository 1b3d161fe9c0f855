import type { FieldError, KubeObject } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import { Optional } from '@marcbachmann/cel-js';
import { Budget, BudgetExceeded, CelEnvironment, compile, evaluationText, mentions, PER_CALL_LIMIT, type Program, RUNTIME_BUDGET } from '@coxswain/cel';
import type { RuleCheck } from '../custom-strategy.js';
import { anySchema, itemsOf, valuesOf } from '../json-schema.js';
import type { JsonSchema, ValidationRule } from '../json-schema.js';
import { correlate, isNothing } from '../validate-value.js';
import { schemaValue } from './schema-value.js';

const MAX_MESSAGE = 5 * 1024;

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: Program | { readonly failed: string };
  readonly message: Program | undefined;
  readonly transition: boolean;
}

let environment: CelEnvironment | undefined;
export const ruleEnvironment = (): CelEnvironment => (environment ??= new CelEnvironment(['self', 'oldSelf']));

const hasRules = (schema: JsonSchema): boolean => (schema['x-kubernetes-validations']?.length ?? 0) > 0;
const compiled = new WeakMap<JsonSchema, readonly CompiledRule[]>();

function rulesOf(schema: JsonSchema): readonly CompiledRule[] {
  let rules = compiled.get(schema);
  if (!rules) compiled.set(schema, (rules = (schema['x-kubernetes-validations'] ?? []).map(compileRule)));
  return rules;
}

function compileRule(rule: ValidationRule): CompiledRule {
  let message: Program | undefined;
  try {
    message = rule.messageExpression ? compile(ruleEnvironment(), rule.messageExpression, 'string') : undefined;
  } catch {
    // The plain message stands in.
  }
  try {
    const program = compile(ruleEnvironment(), rule.rule, 'bool');
    return { rule, program, message, transition: mentions(program.ast, 'oldSelf') };
  } catch (error) {
    return { rule, program: { failed: (error as Error).message }, message, transition: false };
  }
}

/** The CEL rules of a schema, made ready when first needed; undefined when it has none. */
export function ruleCheckOf(schema: JsonSchema): RuleCheck | undefined {
  if (!anySchema(schema, hasRules)) return undefined;
  return (object: KubeObject, old: KubeObject | undefined) => {
    const run = new RuleRun();
    run.visit(object, old, schema, '', true);
    return run.errors;
  };
}

const below = new WeakMap<JsonSchema, boolean>();

function reachesRules(schema: JsonSchema): boolean {
  let found = below.get(schema);
  if (found === undefined) below.set(schema, (found = anySchema(schema, hasRules)));
  return found;
}

class RuleRun {
  readonly errors: FieldError[] = [];
  readonly #total = new Budget(RUNTIME_BUDGET);
  #stopped = false;

  visit(value: unknown, old: unknown, schema: JsonSchema, path: string, root: boolean): void {
    if (this.#stopped || value === undefined || !reachesRules(schema)) return;
    if (value === null) return;
    const rules = rulesOf(schema);
    if (rules.length > 0) this.#node(rules, value, old, schema, path, root || schema['x-kubernetes-embedded-resource'] === true);
    if (typeof value !== 'object') return;
    if (Array.isArray(value)) {
      const items = itemsOf(schema);
      if (!items) return;
      value.forEach((item, i) => {
        const before = correlate(item, schema, old);
        this.visit(item, isNothing(before) ? undefined : before, items, `${path}[${i}]`, false);
      });
      return;
    }
    const before = typeof old === 'object' && old !== null && schema['x-kubernetes-map-type'] !== 'atomic' ? (old as Record<string, unknown>) : {};
    const values = valuesOf(schema);
    for (const [key, member] of Object.entries(value)) {
      const property = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : values;
      if (property) this.visit(member, before[key], property, values && property === values ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, false);
    }
  }

  #node(rules: readonly CompiledRule[], value: unknown, old: unknown, schema: JsonSchema, path: string, resource: boolean): void {
    const unchanged = old !== undefined && deepEqual(value, old);
    const self = schemaValue(value, schema, resource);
    const before = old === undefined || old === null ? undefined : schemaValue(old, schema, resource);
    for (const { rule, program, message, transition } of rules) {
      if (this.#stopped) return;
      if (transition && before === undefined && !rule.optionalOldSelf) continue;
      // What was there before is not held against who leaves it.
      if (!transition && unchanged) continue;
      const oldSelf = rule.optionalOldSelf ? (before === undefined ? Optional.none() : Optional.of(before)) : before;
      const variables = { self, oldSelf };
      if ('failed' in program) {
        this.#add(rule, schema, path, `rule compile error: ${program.failed}`, false);
        continue;
      }
      const outcome = this.#evaluate(program, variables);
      if (outcome.type === 'value') {
        if (outcome.value !== true) this.#add(rule, schema, path, this.#messageOf(rule, message, variables), true);
        continue;
      }
      this.#refuse(rule, schema, path, outcome);
    }
  }

  #refuse(rule: ValidationRule, schema: JsonSchema, path: string, outcome: Exclude<Outcome, { type: 'value' }>): void {
    const named = rule.message ? JSON.stringify(rule.message) : rule.rule;
    switch (outcome.type) {
      case 'call limit':
        this.#stopped = true;
        this.errors.push(
          fieldErrors.invalid(
            path,
            typeOf(schema),
            `'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${named}`,
          ),
        );
        return;
      case 'budget':
        this.#stopped = true;
        this.errors.push(
          fieldErrors.invalid(path, typeOf(schema), 'validation failed due to running out of cost budget, no further validation rules will be run'),
        );
        return;
      case 'error': {
        const why =
          outcome.text === 'no such overload'
            ? `'${outcome.text}': call arguments did not match a supported operator, function or macro signature for rule: ${named}`
            : `${outcome.text} evaluating rule: ${named}`;
        this.#add(rule, schema, path, why, false);
      }
    }
  }

  #evaluate(program: Program, variables: Readonly<Record<string, unknown>>): Outcome {
    const budget = new Budget(Math.min(PER_CALL_LIMIT, this.#total.left));
    try {
      const value = program.run(variables, budget);
      this.#total.spend(budget.limit - budget.left);
      return { type: 'value', value };
    } catch (error) {
      if (error instanceof BudgetExceeded) return { type: budget.limit < PER_CALL_LIMIT ? 'budget' : 'call limit' };
      return { type: 'error', text: evaluationText(error) };
    }
  }

  #messageOf(rule: ValidationRule, message: Program | undefined, variables: Readonly<Record<string, unknown>>): string {
    if (message) {
      const outcome = this.#evaluate(message, variables);
      if (outcome.type === 'value' && typeof outcome.value === 'string') {
        const text = outcome.value.trim();
        if (text !== '' && !/[\r\n]/.test(text)) return text.slice(0, MAX_MESSAGE);
      }
    }
    return rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
  }

  #add(rule: ValidationRule, schema: JsonSchema, path: string, detail: string, withReason: boolean): void {
    const field = `${path}${rule.fieldPath ?? ''}`.replace(/^\./, '');
    const value = typeOf(schema);
    switch (withReason ? rule.reason : undefined) {
      case 'FieldValueForbidden':
        this.errors.push(fieldErrors.forbidden(field, detail));
        return;
      case 'FieldValueRequired':
        this.errors.push(fieldErrors.required(field, detail));
        return;
      case 'FieldValueDuplicate':
        this.errors.push(fieldErrors.duplicate(field, value));
        return;
      default:
        this.errors.push(fieldErrors.invalid(field, value, detail));
    }
  }
}

type Outcome =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'call limit' | 'budget' }
  | { readonly type: 'error'; readonly text: string };

const typeOf = (schema: JsonSchema): string => schema.type ?? '';
