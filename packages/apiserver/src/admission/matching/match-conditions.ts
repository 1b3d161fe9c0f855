import { Budget, CelEnvironment, compile, evaluationText, type Program, RUNTIME_BUDGET } from '@coxswain/cel';
import { declareRequest } from './admission-types.js';
import { registerAuthorizer } from './authorizer-library.js';

export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

let environment: CelEnvironment | undefined;

/** For match conditions of webhooks. */
export const conditionEnvironment = (): CelEnvironment =>
  (environment ??= new CelEnvironment(['object', 'oldObject', 'request', 'authorizer'], registerAuthorizer));

let checking: CelEnvironment | undefined;

/** The same for checking them. */
export const conditionCheckEnvironment = (): CelEnvironment =>
  (checking ??= new CelEnvironment(['object', 'oldObject', 'authorizer'], (env) => {
    registerAuthorizer(env);
    declareRequest(env);
  }));

export type ConditionOutcome = { readonly type: 'match' } | { readonly type: 'no match' } | { readonly type: 'error'; readonly message: string };

type Compiled = Program | { readonly failed: string };

/** Conditions compiled once. False wins over an error, as upstream has it. */
export class MatchConditions {
  readonly #programs: readonly { readonly name: string; readonly program: Compiled }[];

  constructor(conditions: readonly MatchCondition[], environment: CelEnvironment) {
    this.#programs = conditions.map(({ name, expression }) => ({ name, program: tryCompile(environment, expression) }));
  }

  async evaluate(variables: Readonly<Record<string, unknown>>): Promise<ConditionOutcome> {
    if (this.#programs.length === 0) return { type: 'match' };
    const budget = new Budget(RUNTIME_BUDGET / 4);
    const errors: string[] = [];
    for (const { name, program } of this.#programs) {
      if ('failed' in program) {
        errors.push(program.failed);
        continue;
      }
      try {
        const value = await program.run(variables, budget);
        if (value === false) return { type: 'no match' };
        if (value !== true) errors.push(`expression '${name}' does not result in a bool`);
      } catch (error) {
        errors.push(`expression '${program.source}' resulted in error: ${evaluationText(error)}`);
      }
    }
    if (errors.length === 0) return { type: 'match' };
    return { type: 'error', message: errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]` };
  }
}

function tryCompile(environment: CelEnvironment, expression: string): Compiled {
  try {
    return compile(environment, expression, 'bool');
  } catch (error) {
    return { failed: (error as Error).message };
  }
}
