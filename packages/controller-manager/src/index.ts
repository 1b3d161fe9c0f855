export * from './controller-manager.js';
export * from './controller-manager-config.js';
export * from './registry.js';
export * from './runtime/controller-context.js';
