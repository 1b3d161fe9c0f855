import { type ClusterConfig, ensureHost, ensureHostBridge } from '@coxswain/cluster';

/** The link of the hosts and the hosts of `views`, or what is missing of them. */
export async function makeHosts(config: ClusterConfig, views: readonly ClusterConfig[]): Promise<void> {
  if (config.hosts.length === 0) return;
  await ensureHostBridge(config);
  for (const view of views) if (view.host) await ensureHost(view, view.host);
}
