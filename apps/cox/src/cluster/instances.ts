import { InstanceRegistry } from '@coxswain/cloud-local';
import type { ClusterConfig } from '@coxswain/cluster';

/** The view's node is an instance of the cluster's cloud: without that, it would stay uninitialised. */
export async function registerInstance({ cloud, paths, nodeName, nodeIP }: ClusterConfig): Promise<void> {
  if (!cloud) return;
  const addresses = [
    { type: 'InternalIP', address: nodeIP },
    { type: 'Hostname', address: nodeName },
  ] as const;
  await new InstanceRegistry(paths.cloud).save({ name: nodeName, addresses });
}

/** The node is no instance any more: its Node is removed by the cloud's node controller should nobody else do it. */
export async function forgetInstance({ cloud, paths, nodeName }: ClusterConfig): Promise<void> {
  if (cloud) await new InstanceRegistry(paths.cloud).remove(nodeName);
}
