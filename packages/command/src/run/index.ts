export * from './leader-election.js';
export * from './logger.js';
export * from './run-components.js';
