export { HealthCheckServers } from './health-check-server.js';
export { KubeProxy, type KubeProxyOptions, type ProxyListener } from './kube-proxy.js';
export { isProxied, PROXY_NAME_LABEL, SERVICE_NAME_LABEL, servicePorts } from './service-ports.js';
export { type HealthCheckService, ServiceTracker } from './service-tracker.js';
