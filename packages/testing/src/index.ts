export type { ClusterClock } from './clock/cluster-clock.js';
export type { Span } from './clock/virtual-clock.js';
export type { TestClusterOptions, TestNode } from './cluster/options.js';
export * from './cluster/test-cluster.js';
export { type Primary, startPrimary } from './primary/start-primary.js';
