import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '@coxswain/api';
import { ApiError, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { ClusterConfig } from '@coxswain/cluster';
import { adminApi } from '../cluster/admin-api.js';

const POLL_MS = 200;
const MIRROR = 'kubernetes.io/config.mirror';

/**
 * As `kubectl drain --ignore-daemonsets --delete-emptydir-data --force`: no new pods, and those that are there are evicted, within what
 * their disruption budgets allow. Rejects when some are left at the end of the time.
 */
export async function drain(config: ClusterConfig, node: string, timeoutMs: number, say: (detail: string) => void): Promise<void> {
  const { client, close } = adminApi(config);
  try {
    try {
      await client.api.nodes().patch(node, 'merge', { spec: { unschedulable: true } });
    } catch (error) {
      // It never registered: there is nothing to move.
      if (isNotFound(error)) return;
      throw error;
    }
    const until = performance.now() + timeoutMs;
    for (;;) {
      const { items } = await client.api.pods().list({ fieldSelector: `spec.nodeName=${node}` });
      const left = items.filter(isMoved);
      if (left.length === 0) return;
      say(`${left.length} left`);
      const refused = (await Promise.all(left.filter(({ metadata }) => !metadata.deletionTimestamp).map((pod) => evict(client, pod)))).filter(Boolean);
      if (performance.now() > until)
        throw new Error(refused[0] ?? `${left.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')} still there`);
      await sleep(POLL_MS);
    }
  } finally {
    await close();
  }
}

/** Pods of DaemonSets and of files of the node go with it. */
function isMoved({ metadata }: Pod): boolean {
  return (
    !(metadata.annotations && MIRROR in metadata.annotations) && !metadata.ownerReferences?.some(({ kind, controller }) => controller && kind === 'DaemonSet')
  );
}

/** Why it may not go now; undefined when it goes. */
async function evict(client: KubeClient, { metadata }: Pod): Promise<string | undefined> {
  const { namespace = '', name = '' } = metadata;
  try {
    await client.api.pods(namespace).subresource(name, 'eviction').create({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } });
    return undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (error instanceof ApiError && error.code === 429) return error.message;
    throw error;
  }
}
