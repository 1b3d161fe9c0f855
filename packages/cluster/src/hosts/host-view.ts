import { join } from 'node:path';
import type { ClusterConfig, HostConfig } from '../cluster-spec.js';
import { clusterPaths } from '../resolve-spec.js';

/**
 * The cluster as one of its hosts sees it: its own name, address and folders. A host's folders are laid out like those of a cluster
 * whose one node is the machine, so whatever runs a node needs to know of no difference.
 */
export function hostView(config: ClusterConfig, host: HostConfig): ClusterConfig {
  const { state, run } = config.paths;
  return {
    ...config,
    host,
    nodeName: host.name,
    nodeIP: host.ip,
    runtime: host.runtime,
    // A cloud is outside of its machines.
    paths: { ...clusterPaths(config.name, join(state, 'hosts', host.name), join(run, 'hosts', host.name)), cloud: config.paths.cloud },
  };
}

/** A view for each node: of the hosts, or of the machine when it is the one node. */
export function nodeViews(config: ClusterConfig): ClusterConfig[] {
  return config.hosts.length === 0 ? [config] : config.hosts.map((host) => hostView(config, host));
}

/** Nodes that run a control plane. */
export function controlPlaneViews(config: ClusterConfig): ClusterConfig[] {
  return nodeViews(config).filter(isControlPlane);
}

/** Whether the node of this view runs a control plane. */
export function isControlPlane(view: ClusterConfig): boolean {
  return view.host?.controlPlane ?? true;
}

/** Files that hold a host's namespaces. */
export function hostNamespaces(view: ClusterConfig): { readonly dir: string; readonly net: string; readonly uts: string } {
  const dir = join(view.paths.run, 'ns');
  return { dir, net: join(dir, 'net'), uts: join(dir, 'uts') };
}

/** What goes before a command so that it runs on the view's host; nothing when that is the machine. */
export function hostLauncher(view: ClusterConfig): readonly string[] {
  if (!view.host) return [];
  const { net, uts } = hostNamespaces(view);
  return ['nsenter', `--net=${net}`, `--uts=${uts}`, '--'];
}
