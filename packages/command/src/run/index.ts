export * from './kube-client.js';
export * from './leader-election.js';
export * from './logger.js';
export * from './run-components.js';
export * from './run-cri-server.js';
export * from './serving.js';
export * from './serving-certificate.js';
