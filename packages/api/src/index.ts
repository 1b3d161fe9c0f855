export * from './definition.js';
export * from './descriptions.js';
export * from './field-error.js';
export type * from './generated/types.js';
export * from './quantity/arithmetic.js';
export * from './quantity/quantity.js';
export * from './schema.js';
export * from './schema-table.js';
