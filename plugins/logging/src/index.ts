export * from './log-entry.js';
export * from './logging.js';
export * from './logging-plugin.js';
export { LOGGING_GROUP, LOGGING_VERSION } from './server/names.js';
export type { WireEntry } from './server/wire-entry.js';
