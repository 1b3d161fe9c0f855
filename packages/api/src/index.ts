export * from './definition.js';
export * from './field-error.js';
export * from './generated/types.js';
export * from './schema.js';
