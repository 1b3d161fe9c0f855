export { apiServerUrl, clientFor } from './api-access.js';
export * from './cluster-spec.js';
export { podNetworkName } from './cni-config.js';
export * from './control-plane-host.js';
export * from './node-host.js';
export { clusterPki } from './pki.js';
export * from './resolve-spec.js';
