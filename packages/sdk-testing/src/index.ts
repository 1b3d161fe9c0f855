export {};
export * from './cni-suite.js';
