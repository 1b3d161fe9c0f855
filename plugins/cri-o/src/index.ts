export * from './clean-state.js';
export * from './crio.js';
export type { ImportOptions } from './images/pull.js';
export { killMonitors } from './runtime/monitors.js';
export * from './server.js';
