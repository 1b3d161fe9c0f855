import { Optional } from '@marcbachmann/cel-js';
import type { ASTNode, Environment, OverlayContext } from '@marcbachmann/cel-js';

/** What the interpreter passes to macros; its own types are not exported. */
interface Checker {
  check(ast: ASTNode, ctx: Context): Checked;
  getType(name: string): never;
}
interface Checked {
  readonly kind: string;
  readonly keyType?: unknown;
  readonly valueType?: unknown;
}
interface Runner {
  run(ast: ASTNode, ctx: Context): unknown;
}
type Context = OverlayContext;
interface MacroCall {
  readonly ast: ASTNode;
  readonly args: ASTNode[];
  readonly receiver: ASTNode;
}
type Body = (values: readonly unknown[]) => unknown;

function nameOf(ast: ASTNode | undefined): string {
  if (ast?.op !== 'id') throw new Error('the first arguments must be names of variables');
  return ast.args;
}

/** A macro over variables of its own: checks and runs its bodies in a scope with them. */
function scoped(names: number, result: string, evaluate: (receiver: unknown, bodies: readonly Body[]) => unknown) {
  return ({ args, receiver }: MacroCall) => {
    const variables = args.slice(0, names).map(nameOf);
    const bodies = args.slice(names);
    let known: Checker | undefined;
    return {
      async: false,
      typeCheck(checker: Checker, _macro: unknown, ctx: Context) {
        const types = variableTypes(checker.check(receiver, ctx), names, checker);
        const inner = variables.reduce((outer, name, i) => outer.forkWithVariable(name, types[i] as never), ctx);
        for (const body of bodies) checker.check(body, inner);
        known = checker;
        return checker.getType(result);
      },
      evaluate(runner: Runner, _macro: unknown, ctx: Context) {
        const checker = known as Checker;
        const run =
          (body: ASTNode): Body =>
          (values) => {
            let inner = ctx;
            variables.forEach((name, i) => {
              inner = inner.forkWithVariable(name, checker.getType('dyn')).setIterValue(values[i], runner);
            });
            return runner.run(body, inner);
          };
        return evaluate(runner.run(receiver, ctx), bodies.map(run));
      },
    };
  };
}

/** One variable: an element, a key, or what an optional holds. Two: index or key, and value. */
function variableTypes({ kind, keyType, valueType }: Checked, names: number, checker: Checker): unknown[] {
  const anything = checker.getType('dyn');
  const value = valueType ?? anything;
  if (names === 1) return [kind === 'map' ? (keyType ?? anything) : value];
  return [kind === 'list' ? checker.getType('int') : (keyType ?? anything), value];
}

/** Index or key, and value. */
export function entriesOf(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((item, i) => [BigInt(i), item]);
  if (value instanceof Map) return [...value];
  if (typeof value === 'object' && value !== null) return Object.entries(value);
  throw new Error('the range of a comprehension must be a list or a map');
}

/** All true, past errors where another element decides. */
function quantify(decisive: boolean) {
  return (receiver: unknown, [test]: readonly Body[]) => {
    let failure: unknown;
    for (const entry of entriesOf(receiver)) {
      try {
        if ((test as Body)(entry) === decisive) return decisive;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  };
}

/** Macros the interpreter lacks: two-variable comprehensions, `existsOne`, `optMap`. */
export function registerMacros(env: Environment): void {
  const add = (signature: string, macro: ReturnType<typeof scoped>) => env.registerFunction(signature, macro as never);
  const countOne = (receiver: unknown, [test]: readonly Body[]) => entriesOf(receiver).filter((entry) => (test as Body)(entry) === true).length === 1;
  const items = (receiver: unknown): unknown[] => (Array.isArray(receiver) ? receiver : entriesOf(receiver).map(([key]) => key));
  for (const kind of ['list', 'map']) {
    add(`${kind}.all(ast, ast, ast): bool`, scoped(2, 'bool', quantify(false)));
    add(`${kind}.exists(ast, ast, ast): bool`, scoped(2, 'bool', quantify(true)));
    add(`${kind}.existsOne(ast, ast, ast): bool`, scoped(2, 'bool', countOne));
    add(
      `${kind}.existsOne(ast, ast): bool`,
      scoped(1, 'bool', (receiver, [test]) => items(receiver).filter((item) => (test as Body)([item]) === true).length === 1),
    );
    add(
      `${kind}.transformList(ast, ast, ast): list<dyn>`,
      scoped(2, 'list<dyn>', (receiver, [make]) => entriesOf(receiver).map((entry) => (make as Body)(entry))),
    );
    add(
      `${kind}.transformList(ast, ast, ast, ast): list<dyn>`,
      scoped(2, 'list<dyn>', (receiver, [test, make]) =>
        entriesOf(receiver)
          .filter((entry) => (test as Body)(entry) === true)
          .map((entry) => (make as Body)(entry)),
      ),
    );
    add(
      `${kind}.transformMap(ast, ast, ast): map<dyn, dyn>`,
      scoped(2, 'map<dyn, dyn>', (receiver, [make]) => new Map(entriesOf(receiver).map((entry) => [entry[0], (make as Body)(entry)]))),
    );
    add(
      `${kind}.transformMap(ast, ast, ast, ast): map<dyn, dyn>`,
      scoped(
        2,
        'map<dyn, dyn>',
        (receiver, [test, make]) =>
          new Map(
            entriesOf(receiver)
              .filter((entry) => (test as Body)(entry) === true)
              .map((entry) => [entry[0], (make as Body)(entry)]),
          ),
      ),
    );
  }
  add(
    'optional.optMap(ast, ast): optional<dyn>',
    scoped(1, 'optional<dyn>', (receiver, [make]) =>
      receiver instanceof Optional && receiver.hasValue() ? Optional.of((make as Body)([receiver.value()])) : Optional.none(),
    ),
  );
  add(
    'optional.optFlatMap(ast, ast): optional<dyn>',
    scoped(1, 'optional<dyn>', (receiver, [make]) =>
      receiver instanceof Optional && receiver.hasValue() ? (make as Body)([receiver.value()]) : Optional.none(),
    ),
  );
}
