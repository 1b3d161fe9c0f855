import type { ASTNode } from '@marcbachmann/cel-js';

/** Where upstream's compiler says an expression is: at its operator, its dot, its bracket, or the parenthesis of its arguments. */
export function placeOf(ast: ASTNode, source: string): number {
  const { start, end } = ast.range;
  const after = (operand: ASTNode, text: string): number => {
    const at = source.indexOf(text, operand.range.end);
    return at < 0 ? start : at;
  };
  switch (ast.op) {
    case '.':
    case '.?':
      return Math.max(start, source.lastIndexOf('.', end - 1));
    case '[]':
    case '[?]':
      return after(ast.args[0], '[');
    case 'call':
      return Math.max(start, source.indexOf('(', start));
    case 'rcall':
      return after(ast.args[1], '(');
    case '?:':
      return after(ast.args[0], '?');
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return start;
    default:
      return after(ast.args[0], ast.op);
  }
}
