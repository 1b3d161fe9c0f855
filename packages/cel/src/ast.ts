import type { ASTNode } from '@marcbachmann/cel-js';

/** The nodes directly below. */
export function childrenOf(ast: ASTNode): readonly ASTNode[] {
  switch (ast.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [ast.args[0]];
    case 'call':
      return ast.args[1];
    case 'rcall':
      return [ast.args[1], ...ast.args[2]];
    case 'list':
      return ast.args;
    case 'map':
      return ast.args.flat();
    case '!_':
    case '-_':
      return [ast.args];
    default:
      return ast.args;
  }
}

/** Whether the expression mentions a variable. */
export function mentions(ast: ASTNode, name: string): boolean {
  return (ast.op === 'id' && ast.args === name) || childrenOf(ast).some((child) => mentions(child, name));
}
