import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import type { Budget } from './budget.js';
import type { CelEnvironment } from './environment.js';
import { placeOf } from './place.js';

/** An expression that cannot be used. The message is as upstream's compiler words it. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
}

/** A compiled expression. */
export interface Program {
  readonly source: string;
  readonly ast: ASTNode;
  /** Throws what went wrong, BudgetExceeded among it. */
  run(variables: Readonly<Record<string, unknown>>, budget: Budget): unknown;
}

const MAX_SOURCE = 10 * 1024;

/** Parse and check; throws CompileError. `type` is what it must result in, as far as that can be known. */
export function compile(environment: CelEnvironment, source: string, type?: 'bool' | 'string'): Program {
  if (source.length > MAX_SOURCE) throw new CompileError(`compilation failed: expression of ${source.length} characters is longer than ${MAX_SOURCE}`);
  try {
    const parsed = environment.env.parse(source);
    const { valid, error, type: found } = parsed.check();
    if (!valid) throw error ?? new Error('unknown');
    if (type && found !== type && found !== 'dyn')
      throw new CompileError(type === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string');
    return { source, ast: parsed.ast, run: (variables, budget) => environment.metered(budget, () => parsed(variables as Record<string, unknown>)) };
  } catch (error) {
    throw error instanceof CompileError ? error : new CompileError(`compilation failed: ${located(source, error)}`);
  }
}

/** What the checker has against the types of an expression, as upstream words it; undefined when nothing. */
export function typeWarning(environment: CelEnvironment, source: string): string | undefined {
  return checkTypes(environment, source).warning;
}

/** The type an expression results in, as far as it can be told, or what the checker has against it. */
export function checkTypes(environment: CelEnvironment, source: string): { readonly type?: string | undefined; readonly warning?: string } {
  try {
    const { valid, error, type } = environment.env.parse(source).check();
    return valid ? { type } : { warning: located(source, error, warningText(error)) };
  } catch (error) {
    return { warning: located(source, error) };
  }
}

/** What an expression results in (`int`, `list<string>`, the name of an object's type, `dyn`); undefined when it does not compile. */
export function resultType(environment: CelEnvironment, source: string): string | undefined {
  try {
    const { valid, type } = environment.env.parse(source).check();
    return valid ? type : undefined;
  } catch {
    return undefined;
  }
}

function warningText(error: unknown): string {
  const { summary, message } = error as { summary?: string; message: string };
  const text = summary ?? message;
  const applied = (operator: string, types: string) => `found no matching overload for '${operator}' applied to '${typeText(types)}'`;
  const binary = /^no such overload: (\S.*?) (in|[^\s\w<>]{1,2}|<|>|<=|>=) (\S.*)$/.exec(text);
  if (binary) return applied(binary[2] === 'in' ? '@in' : `_${binary[2]}_`, `(${binary[1]}, ${binary[3]})`);
  const unary = /^no such overload: ([!-])(.*)$/.exec(text);
  if (unary) return applied(`${unary[1]}_`, `(${unary[2]})`);
  const call = /^found no matching overload for '(?:([^()]+)\.)?(\w+)\((.*)\)'$/.exec(text);
  if (call) return applied(call[2] as string, `${call[1] ? `${call[1]}.` : ''}(${call[3]})`);
  // The list's own type is nowhere said.
  const element = /^List index must be int, got '(.*)'$/.exec(text)?.[1];
  if (element) return applied('_[_]', `(list<dyn>, ${element})`);
  const predicate = /predicate must return bool, got '(.*)'$/.exec(text)?.[1];
  if (predicate) return `expected type 'bool' but found '${typeText(predicate)}'`;
  const index = /^Cannot index type '(.*)' with type '(.*)'$/.exec(text);
  if (index) return applied('_[_]', `(${index[1]}, ${index[2]})`);
  const selected = /^Cannot index type '(.*)'$/.exec(text)?.[1];
  if (selected) return `type '${typeText(selected)}' does not support field selection`;
  const operand = /^Logical operator requires bool operands, got '(.*)'$/.exec(text)?.[1];
  if (operand) return `expected type 'bool' but found '${typeText(operand)}'`;
  const range = /^Expression of type '(.*)' cannot be range of a comprehension/.exec(text)?.[1];
  if (range) return `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
  return compileText(error);
}

/** `list<map<string, int>>` → `list(map(string, int))` */
const typeText = (types: string): string => types.replaceAll('<', '(').replaceAll('>', ')');

/** `ERROR: <input>:1:6: undeclared reference to 'x' (in container '')` with the line and a caret under the place. */
function located(source: string, error: unknown, summary = compileText(error)): string {
  const at = offsetOf(source, error);
  const before = source.slice(0, at).split('\n');
  const line = before.length;
  const column = (before.at(-1) as string).length;
  return `ERROR: <input>:${line}:${column + 1}: ${summary}\n | ${source.split('\n')[line - 1] ?? ''}\n | ${'.'.repeat(column)}^`;
}

function offsetOf(source: string, error: unknown): number {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)) return 0;
  const { node } = error as { node?: ASTNode };
  return node?.op && node.range ? placeOf(node, source) : (error.range?.start ?? 0);
}

function compileText(error: unknown): string {
  const { code, summary = '', message } = error as { code?: string; summary?: string; message: string };
  const text = summary === '' ? message : summary;
  if (code === 'no_such_key') return `undefined field '${text.replace(/^No such key: /, '')}'`;
  if (code === 'unknown_variable') return `undeclared reference to '${text.replace(/^Unknown variable: /, '')}' (in container '')`;
  const overload = /^found no matching overload for '(?:[\w<>, ]+\.)?(\w+)\((.*)\)'$/.exec(text);
  if (overload) return `undeclared reference to '${overload[1]}' (in container '')`;
  if (error instanceof ParseError) return `Syntax error: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
  return text;
}

/** What an evaluation failed with, in upstream's words. */
export function evaluationText(error: unknown): string {
  const { code, summary, message } = error as { code?: string; summary?: string; message: string };
  const text = summary ?? message;
  switch (code) {
    case 'no_such_key':
      return text.replace(/^No such key/, 'no such key');
    case 'index_out_of_bounds':
      return `index out of bounds: ${/index (-?\d+)/.exec(text)?.[1] ?? ''}`;
    case 'no_such_overload':
    case 'no_matching_overload':
      return 'no such overload';
    default:
      return text;
  }
}
