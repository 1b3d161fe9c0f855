import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';

export interface WaitForNodeOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether it runs a control plane, as its role label then says. Default true. */
  readonly controlPlane?: boolean;
  readonly signal?: AbortSignal;
  /** Why it is not Ready yet. */
  readonly onWaiting?: (reason: string) => void;
}

/** The node did not become Ready in time; the message says why not. */
export class NodeNotReadyError extends Error {
  override readonly name = 'NodeNotReadyError';
}

const POLL_MS = 20;
const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** Until the API server has the node's Ready condition, then give the node its role, which a kubelet may not do itself. */
export async function waitForNode({ client, nodeName, clock, timeoutMs, controlPlane = true, signal, onWaiting }: WaitForNodeOptions): Promise<void> {
  const until = clock.monotonic() + timeoutMs;
  let last = 'the node has not registered';
  for (;;) {
    signal?.throwIfAborted();
    try {
      const node = (await client.api.nodes().list()).items.find((n) => n.metadata?.name === nodeName);
      const ready = node?.status?.conditions?.find((c) => c.type === 'Ready');
      if (ready?.status === 'True') {
        if (controlPlane && !(CONTROL_PLANE_LABEL in (node?.metadata?.labels ?? {}))) {
          await client.api.nodes().patch(nodeName, 'merge', { metadata: { labels: { [CONTROL_PLANE_LABEL]: '' } } });
        }
        return;
      }
      last = ready?.message ?? last;
    } catch (error) {
      last = (error as Error).message;
    }
    if (clock.monotonic() > until) throw new NodeNotReadyError(`node ${nodeName} did not become Ready within ${timeoutMs / 1000} s: ${last}`);
    onWaiting?.(last);
    await clock.sleep(POLL_MS, signal);
  }
}
