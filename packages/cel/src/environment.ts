import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { BudgetExceeded } from './budget.js';
import type { Budget } from './budget.js';
import { registerFormats } from './libraries/formats.js';
import { registerAddresses } from './libraries/addresses.js';
import { registerLists } from './libraries/lists.js';
import { registerMacros } from './libraries/macros.js';
import { registerQuantities } from './libraries/quantities.js';
import { registerSemver } from './libraries/semver.js';
import { registerStrings } from './libraries/strings.js';
import { registerUrls } from './libraries/urls.js';

/** What the interpreter calls for every step. */
interface Stepper {
  run(ast: ASTNode, ctx: unknown): unknown;
}
type Steppable = ASTNode & { evaluate(stepper: Stepper, ast: ASTNode, ctx: unknown): unknown };

const PROBE = '__stepper';
let shown: Stepper | undefined;

/** The language of Kubernetes' expressions, with variables of its own. Evaluation is counted against a budget. */
export class CelEnvironment {
  readonly env: Environment;
  #budget: Budget | undefined;

  /** `from`: what is known there is known here as well; it is not to be changed any more. */
  constructor(variables: readonly string[], extend?: (env: Environment) => void, from?: CelEnvironment) {
    this.env = (from?.env ?? base()).clone();
    for (const name of variables) this.env.registerVariable(name, 'dyn');
    extend?.(this.env);
    shown = undefined;
    this.env.evaluate(`${PROBE}()`);
    // The interpreter takes every step through `run`: here each is paid for.
    if (shown) this.#meter(shown);
  }

  /** Run with a budget; throws BudgetExceeded when it does not suffice. */
  metered<T>(budget: Budget, run: () => T): T {
    const outer = this.#budget;
    this.#budget = budget;
    try {
      const result = run();
      if (budget.exhausted) throw new BudgetExceeded();
      return result;
    } catch (error) {
      // Wherever the interpreter has swallowed it on the way: this is the cause.
      if (budget.exhausted) throw new BudgetExceeded();
      throw error;
    } finally {
      this.#budget = outer;
    }
  }

  #meter(stepper: Stepper): void {
    stepper.run = (ast, ctx) => {
      const result = (ast as Steppable).evaluate(stepper, ast, ctx);
      this.#budget?.spend(costOf(ast, result));
      return result;
    };
  }
}

const SCANNING = new Set(['==', '!=', 'in', '+']);

/** Comparing and joining take time with the size of what goes through them; the rest is one step. */
function costOf(ast: ASTNode, result: unknown): number {
  if (ast.op === 'list' || ast.op === 'map') return 10;
  if (!SCANNING.has(ast.op) && ast.op !== 'rcall' && ast.op !== 'call') return 1;
  return 1 + sizeOf(result) / 10;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}

let shared: Environment | undefined;

function base(): Environment {
  if (shared) return shared;
  const env = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits: { maxAstNodes: 20_000, maxDepth: 200 } });
  registerMacros(env);
  registerLists(env);
  registerStrings(env);
  registerUrls(env);
  registerQuantities(env);
  registerAddresses(env);
  registerFormats(env);
  registerSemver(env);
  env.registerFunction(`${PROBE}(): bool`, function probe(this: Stepper) {
    // oxlint-disable-next-line typescript/no-this-alias -- the interpreter shows itself nowhere else
    shown = this;
    return true;
  });
  return (shared = env);
}
