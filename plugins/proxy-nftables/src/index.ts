export { type BaseTableOptions, baseTable } from './base-table.js';
export { NftablesProxy, type NftablesProxyOptions } from './nftables-proxy.js';
export { proxyNftables } from './proxy-nftables.js';
export { type RenderedPort, renderPort } from './render-port.js';
export { Ruleset } from './ruleset.js';
