import type { PersistentVolumeClaim } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { claimActions } from '../dynamic-resources/claim-actions.js';
import type { ClusterActions } from '../framework/handle.js';
import { isBound } from '../plugins/volumes.js';
import type { ClusterInformers } from './cluster-informers.js';
import type { EventSink } from './event-sink.js';

/** How long a pod's claims may take to be bound or provisioned (upstream's bindTimeoutSeconds). */
const CLAIM_POLL_MS = 1000;

interface ApiActionsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly informers: ClusterInformers;
  readonly events: EventSink;
}

/** What plugins do to the cluster, as API requests. */
export function apiActions({ client, clock, informers, events }: ApiActionsOptions): ClusterActions {
  const { api } = client;
  const name = (o: { metadata: { name?: string } }) => o.metadata.name ?? '';
  return {
    claims: claimActions(client),
    async bind(pod, node, signal) {
      const { namespace, uid } = pod.metadata;
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: name(pod), namespace, uid }, target: { kind: 'Node', name: node } };
      await api.pods(namespace).subresource(name(pod), 'binding').create(binding, { signal });
    },
    async evict(victim, preemptor, node, signal) {
      const pods = api.pods(victim.metadata.namespace);
      const message = `${preemptor.spec?.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`;
      const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message, lastTransitionTime: formatTime(clock.now()) };
      try {
        await pods.patch(
          name(victim),
          'strategic',
          { metadata: { uid: victim.metadata.uid }, status: { conditions: [condition] } },
          { subresource: 'status', signal },
        );
        await pods.delete(name(victim), { signal, ...(victim.metadata.uid && { preconditions: { uid: victim.metadata.uid } }) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return;
      }
      events(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${node}`, 'Preempting', preemptor);
    },
    async clearNomination(pod, signal) {
      await api.pods(pod.metadata.namespace).patch(name(pod), 'merge', { status: { nominatedNodeName: null } }, { subresource: 'status', signal });
    },
    async bindClaim(claim, volume, signal) {
      const { namespace, uid } = claim.metadata;
      const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name: name(claim), uid };
      await api.persistentVolumes().patch(
        name(volume),
        'merge',
        {
          metadata: { resourceVersion: volume.metadata.resourceVersion, annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
          spec: { claimRef },
        },
        { signal },
      );
    },
    async annotateSelectedNode(claim, node, signal) {
      await api
        .persistentVolumeClaims(claim.metadata.namespace)
        .patch(name(claim), 'merge', { metadata: { annotations: { 'volume.kubernetes.io/selected-node': node } } }, { signal });
    },
    async waitForBoundClaims(claims, timeoutMs, signal) {
      const deadline = clock.monotonic() + timeoutMs;
      const current = (c: PersistentVolumeClaim) => informers.claims.lister.get(name(c), c.metadata.namespace);
      const waiting = () =>
        claims.filter((c) => {
          const now = current(c);
          if (!now) throw new Error(`persistentvolumeclaim ${JSON.stringify(name(c))} not found`);
          return !isBound(now);
        });
      while (waiting().length > 0) {
        if (clock.monotonic() >= deadline) throw new Error('timed out waiting for volumes to be bound');
        await claimChange(informers, clock, signal);
      }
    },
  };
}

/** A claim changed, or a second has passed. */
function claimChange(informers: ClusterInformers, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const finish = (error?: Error) => {
      undo();
      cancel();
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onAbort = () => finish(signal.reason as Error);
    const undo = informers.claims.addHandler({ update: () => finish(), delete: () => finish() });
    const cancel = clock.setTimeout(() => finish(), CLAIM_POLL_MS);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
