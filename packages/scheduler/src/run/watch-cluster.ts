import type { KubeObject, Node, Pod } from '@coxswain/api';
import { semanticEqual } from '@coxswain/apimachinery';
import type { ClusterEvent } from '@coxswain/sdk';
import type { SharedInformer } from '@coxswain/client';
import type { SchedulerCache } from '../cache/scheduler-cache.js';
import { podKey } from '../framework/pod-key.js';
import type { ClusterChange, SchedulingQueue } from '../queue/scheduling-queue.js';
import type { ClusterInformers } from './cluster-informers.js';
import type { Nominator } from './nominator.js';

interface Watched {
  readonly informers: ClusterInformers;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly isOurs: (pod: Pod) => boolean;
  readonly now: () => number;
  /** There may be something to do. */
  readonly wake: () => void;
}

const assigned = (pod: Pod): boolean => Boolean(pod.spec?.nodeName);
const finished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Feeds cache and queue from the informers. Returns the undo. */
export function watchCluster({ informers, cache, queue, nominator, isOurs, now, wake }: Watched): () => void {
  const tell = (change: ClusterChange) => {
    queue.changed(change, now());
    wake();
  };

  const place = (before: Pod | undefined, pod: Pod) => {
    queue.delete(pod);
    nominator.delete(podKey(pod));
    if (finished(pod)) return remove(pod);
    cache.setPod(pod);
    const was = before && assigned(before) ? before : undefined;
    if (was && !podMatters(was, pod)) return;
    tell({ resource: 'AssignedPod', action: was ? 'update' : 'add', before: was as KubeObject | undefined, after: pod as KubeObject });
  };
  const want = (before: Pod | undefined, pod: Pod) => {
    if (!isOurs(pod)) return;
    if (finished(pod) || pod.metadata.deletionTimestamp) {
      queue.delete(pod);
      nominator.delete(podKey(pod));
      return;
    }
    // Bound by us a moment ago: this is the API's picture of before.
    if (cache.isAssumed(pod)) return;
    nominator.set(pod, pod.status?.nominatedNodeName);
    if (before) queue.update(pod, now(), podMatters(before, pod));
    else queue.add(pod, now());
    wake();
  };
  const remove = (pod: Pod) => {
    queue.delete(pod);
    nominator.delete(podKey(pod));
    cache.removePod(pod);
    if (assigned(pod)) tell({ resource: 'AssignedPod', action: 'delete', before: pod as KubeObject });
  };

  const undo = [
    informers.pods.addHandler({
      add: (pod) => (assigned(pod) ? place(undefined, pod) : want(undefined, pod)),
      update: (old, pod) => (assigned(pod) ? place(old, pod) : want(old, pod)),
      delete: remove,
    }),
    informers.nodes.addHandler({
      add: (node) => {
        cache.setNode(node);
        tell({ resource: 'Node', action: 'add', after: node as KubeObject });
      },
      update: (old, node) => {
        cache.setNode(node);
        if (nodeMatters(old, node)) tell({ resource: 'Node', action: 'update', before: old as KubeObject, after: node as KubeObject });
      },
      delete: (node) => {
        cache.removeNode(node.metadata.name ?? '');
        tell({ resource: 'Node', action: 'delete', before: node as KubeObject });
      },
    }),
  ];
  const forward = <T extends KubeObject>(informer: SharedInformer<T>, resource: ClusterEvent['resource']) =>
    undo.push(
      informer.addHandler({
        add: (after) => tell({ resource, action: 'add', after }),
        update: (before, after) => tell({ resource, action: 'update', before, after }),
        delete: (before) => tell({ resource, action: 'delete', before }),
      }),
    );
  forward(informers.claims, 'PersistentVolumeClaim');
  forward(informers.volumes, 'PersistentVolume');
  forward(informers.storageClasses, 'StorageClass');
  forward(informers.resourceClaims, 'ResourceClaim');
  forward(informers.resourceSlices, 'ResourceSlice');
  forward(informers.deviceClasses, 'DeviceClass');
  forward(informers.services, 'Service');
  forward(informers.namespaces, 'Namespace');
  return () => {
    for (const f of undo) f();
  };
}

/** Heartbeats come by the second and change nothing that a plugin looks at. */
function nodeMatters(a: Node, b: Node): boolean {
  return !(
    a.spec?.unschedulable === b.spec?.unschedulable &&
    semanticEqual(a.metadata.labels, b.metadata.labels) &&
    semanticEqual(a.spec?.taints, b.spec?.taints) &&
    semanticEqual(a.status?.allocatable, b.status?.allocatable) &&
    semanticEqual(a.status?.declaredFeatures, b.status?.declaredFeatures)
  );
}

/** Anything but status, which the scheduler and the kubelet write all the time; of that only which claims were made for the pod. */
function podMatters(a: Pod, b: Pod): boolean {
  return !(
    semanticEqual(a.metadata.labels, b.metadata.labels) &&
    semanticEqual(a.spec, b.spec) &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    (!b.spec?.resourceClaims || semanticEqual(a.status?.resourceClaimStatuses, b.status?.resourceClaimStatuses))
  );
}
