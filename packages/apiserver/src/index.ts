export * from './api-server.js';
export { parseTokenFile } from './auth/token-file-authenticator.js';
