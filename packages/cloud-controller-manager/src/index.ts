export * from './cloud-controller-manager.js';
export * from './cloud-controller-manager-config.js';
