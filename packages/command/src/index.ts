export * from './cli-error.js';
export * from './component-command.js';
export * from './component-main.js';
export * from './log-level.js';
export * from './option-values.js';
export * from './read-flag-file.js';
export * from './settled-flags.js';
export type { Command } from 'commander';
export { Option } from 'commander';
