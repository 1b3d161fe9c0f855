export * from './host.js';
export * from './host-error.js';
export type { StartedComponent } from './lifecycle.js';
export * from './recipe.js';
