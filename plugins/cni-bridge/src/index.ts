export { hostVethName } from './bridge.js';
export { cniBridge } from './cni-bridge.js';
export { diskStore } from './disk-store.js';
export { DEFAULT_DATA_DIR, type HostLocalOptions, hostLocal, parseResolvConf } from './host-local.js';
export { cniMain } from './main.js';
export { DEFAULT_TABLE_PREFIX, networkTableScript } from './network-table.js';
export { type BridgePluginsOptions, bridgePlugins } from './plugins.js';
