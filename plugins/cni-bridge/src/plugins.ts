import type { CniPlugin } from '@coxswain/cni';
import { bridge } from './bridge.js';
import { Host, type HostOptions } from './host.js';
import { type HostLocalOptions, hostLocal } from './host-local.js';
import { loopback } from './loopback.js';
import { DEFAULT_TABLE_PREFIX, NetworkTables } from './network-table.js';
import { portmap } from './portmap.js';

export interface BridgePluginsOptions extends HostOptions, HostLocalOptions {
  /** nftables tables are named `<prefix><network>`; default `coxswain-`. */
  readonly tablePrefix?: string;
}

/** The plugins of this package, ready to be given to `inProcessInvoker`. */
export function bridgePlugins(options: BridgePluginsOptions = {}): CniPlugin[] {
  const host = new Host(options);
  const tables = new NetworkTables(host, options.tablePrefix ?? DEFAULT_TABLE_PREFIX);
  return [bridge(host, tables), hostLocal(options), loopback(host), portmap(host, tables)];
}
