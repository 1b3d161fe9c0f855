export * from './cluster-spec.js';
export * from './resolve-spec.js';
