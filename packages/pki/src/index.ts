export * from './certificate.js';
export * from './cluster-pki.js';
export * from './csr.js';
export * from './inspect.js';
export * from './kubeconfig.js';
export * from './kubeconfig-file.js';
export * from './pem.js';
export { PkiError } from './pki-folder.js';
export * from './service-account-keys.js';
