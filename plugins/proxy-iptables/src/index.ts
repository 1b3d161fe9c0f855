export { type IptablesBackend, IptablesError } from './iptables.js';
export { IptablesProxy, type IptablesProxyOptions } from './iptables-proxy.js';
export { proxyIptables } from './proxy-iptables.js';
