export * from './claim-index.js';
export * from './cni-suite.js';
export * from './cri-suite.js';
export * from './fake-clock.js';
export * from './fake-random.js';
export * from './state-store-suite.js';
export { type AskOptions, LabHost, NoAnswerError } from './net-lab/lab-host.js';
export { type LabPod, labAddresses, NetLab } from './net-lab/net-lab.js';
export * from './service-proxy-suite.js';
