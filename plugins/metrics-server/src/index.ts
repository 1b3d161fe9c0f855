export { MetricsServer, type MetricsServerOptions } from './metrics-server.js';
export { metricsServer } from './metrics-server-plugin.js';
export type { NodeMetrics, PodMetrics } from './metrics-api.js';
