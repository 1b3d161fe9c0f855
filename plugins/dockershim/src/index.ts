export * from './clean-state.js';
export type { DockerdPaths } from './dockerd/daemon-config.js';
export * from './dockerd/daemon.js';
export * from './dockershim.js';
export { EngineError } from './engine/engine-error.js';
export * from './server.js';
