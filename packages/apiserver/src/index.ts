export * from './api-server.js';
export * from './api-server-options.js';
export { AdmissionOrder } from './admission/order.js';
export { parseTokenFile } from './auth/token-file-authenticator.js';
export { apiServerRuntime } from './custom/api-server-runtime.js';
export type { CustomServerEnv } from './custom/custom-api-server.js';
export * from './create-api-server.js';
export * from './options.js';
