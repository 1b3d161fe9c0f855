export * from './claim-index.js';
export * from './cni-suite.js';
export * from './cri-suite.js';
export * from './fake-clock.js';
export * from './fake-random.js';
export * from './state-store-suite.js';
