export * from './ast.js';
export * from './budget.js';
export * from './environment.js';
export { isCidr, matchesFormat } from './formats.js';
export { compilePattern } from './pattern.js';
export * from './program.js';
export * from './schema-type.js';
export * from './to-cel.js';
