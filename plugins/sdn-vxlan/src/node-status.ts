import type { Node } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { VTEP_MAC_ANNOTATION } from './facts.js';

const CONDITION = 'NetworkUnavailable';

/** Tells all other nodes, by this node's object, how its tunnel is reached and that its network is there; when they do not know yet. */
export async function announce(client: KubeClient, clock: Clock, own: Node, mac: string | undefined, signal: AbortSignal): Promise<void> {
  const known = own.metadata.annotations?.[VTEP_MAC_ANNOTATION];
  const available = own.status?.conditions?.some(({ type, status }) => type === CONDITION && status === 'False') ?? false;
  if (known === mac && available) return;
  const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const condition = {
    type: CONDITION,
    status: 'False',
    reason: 'PodNetworkReady',
    message: 'the pod network has set up this node',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  await client.api.nodes().patch(
    own.metadata.name ?? '',
    'strategic',
    {
      // Null removes it: this node has no tunnel any more.
      ...(known === mac ? {} : { metadata: { annotations: { [VTEP_MAC_ANNOTATION]: mac ?? null } } }),
      ...(available ? {} : { status: { conditions: [condition] } }),
    },
    { subresource: 'status', signal },
  );
}
