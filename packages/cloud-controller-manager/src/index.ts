export * from './cloud-controller-manager.js';
export * from './cloud-controller-manager-config.js';
export { CsiController, type CsiControllerOptions } from './csi/csi-controller.js';
export type { CsiControllerConfig } from './csi/csi-controller-config.js';
