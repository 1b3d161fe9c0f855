import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { compile, CompileError, mentions, type Program } from '@coxswain/cel';
import { itemsOf, valuesOf } from '../json-schema.js';
import type { JsonSchema } from '../json-schema.js';
import { analyze, maxSize } from './estimate.js';
import { ruleEnvironment } from './rule-check.js';
import { typeProblem } from './rule-types.js';

const EXPRESSION_LIMIT = 10_000_000;
const TOTAL_LIMIT = 100_000_000;
const RULES = 'x-kubernetes-validations';

/** The rules of a schema can be compiled, name what exists, and stay within the limits. */
export function checkRules(schema: JsonSchema, path: string): FieldError[] {
  const checker = new RuleChecker();
  checker.visit(schema, path, 1, true, undefined);
  return checker.finish(path);
}

class RuleChecker {
  readonly #errors: FieldError[] = [];
  readonly #costs: { readonly path: string; readonly cost: number }[] = [];

  visit(schema: JsonSchema, path: string, cardinality: number, root: boolean, uncorrelatable: string | undefined): void {
    (schema[RULES] ?? []).forEach((_, i) => this.#rule(schema, `${path}.${RULES}[${i}]`, i, cardinality, root, uncorrelatable));
    const items = itemsOf(schema);
    if (items)
      this.visit(
        items,
        `${path}.items`,
        cardinality * maxSize(schema),
        false,
        schema['x-kubernetes-list-type'] === 'map' ? uncorrelatable : (uncorrelatable ?? path),
      );
    const values = valuesOf(schema);
    if (values) this.visit(values, `${path}.additionalProperties`, cardinality * maxSize(schema), false, uncorrelatable);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      this.visit(
        property,
        `${path}.properties[${name}]`,
        cardinality,
        false,
        schema['x-kubernetes-map-type'] === 'atomic' ? (uncorrelatable ?? path) : uncorrelatable,
      );
    }
  }

  finish(path: string): FieldError[] {
    const total = this.#costs.reduce((sum, { cost }) => sum + cost, 0);
    if (total > TOTAL_LIMIT) {
      const most = [...this.#costs].sort((a, b) => b.cost - a.cost).slice(0, 4);
      for (const { path: rule, cost } of most)
        if (cost > TOTAL_LIMIT / 100)
          this.#errors.push(fieldErrors.forbidden(rule, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'));
      this.#errors.push(
        fieldErrors.forbidden(path, costText('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', total, TOTAL_LIMIT)),
      );
    }
    return this.#errors;
  }

  #rule(schema: JsonSchema, path: string, index: number, cardinality: number, root: boolean, uncorrelatable: string | undefined): void {
    const rule = schema[RULES]?.[index];
    if (!rule?.rule.trim()) return;
    const resource = root || schema['x-kubernetes-embedded-resource'] === true;
    const program = this.#expression(rule.rule, 'bool', schema, resource, `${path}.rule`, rule, cardinality, 'estimated rule cost');
    if (rule.messageExpression?.trim())
      this.#expression(rule.messageExpression, 'string', schema, resource, `${path}.messageExpression`, rule, 1, 'estimated messageExpression cost');
    if (!program) return;
    if (mentions(program.ast, 'oldSelf')) {
      if (uncorrelatable !== undefined)
        this.#errors.push(
          fieldErrors.invalid(`${path}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`),
        );
    } else if (rule.optionalOldSelf !== undefined) {
      this.#errors.push(fieldErrors.invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
    }
  }

  #expression(
    source: string,
    type: 'bool' | 'string',
    schema: JsonSchema,
    resource: boolean,
    path: string,
    rule: unknown,
    cardinality: number,
    costName: string,
  ): Program | undefined {
    let program: Program;
    try {
      program = compile(ruleEnvironment(), source, type);
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      this.#errors.push(fieldErrors.invalid(path, rule, error.message));
      return undefined;
    }
    const { cost, problems } = analyze(program.ast, schema, resource);
    const [problem] = problems;
    if (problem) {
      const before = source.slice(0, problem.at).split('\n');
      const place = `${before.length}:${(before.at(-1) as string).length + 1}`;
      this.#errors.push(
        fieldErrors.invalid(
          path,
          rule,
          `compilation failed: ERROR: <input>:${place}: ${problem.text}\n | ${source.split('\n')[before.length - 1]}\n | ${'.'.repeat((before.at(-1) as string).length)}^`,
        ),
      );
      return undefined;
    }
    const mismatch = typeProblem(schema, resource, source, type);
    if (mismatch !== undefined) {
      this.#errors.push(fieldErrors.invalid(path, rule, mismatch));
      return undefined;
    }
    const total = cost * cardinality;
    if (total > EXPRESSION_LIMIT) this.#errors.push(fieldErrors.forbidden(path, costText(costName, total, EXPRESSION_LIMIT)));
    this.#costs.push({ path, cost: total });
    return program;
  }
}

function costText(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const text = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${text} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
