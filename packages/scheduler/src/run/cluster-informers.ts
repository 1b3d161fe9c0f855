import { labelSelectorFromObject, labelSelectorFromSet, type LabelSelector } from '@coxswain/apimachinery';
import type { Pod } from '@coxswain/api';
import { Resources, type InformerFactory } from '@coxswain/client';
import type { SchedulerCache } from '../cache/scheduler-cache.js';
import type { ClusterView } from '../framework/handle.js';
import type { Nominator } from './nominator.js';

/** What the scheduler watches. */
export function clusterInformers(factory: InformerFactory) {
  return {
    // Finished pods use nothing: the server need not tell of them.
    pods: factory.informer(Resources.pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    nodes: factory.informer(Resources.nodes),
    namespaces: factory.informer(Resources.namespaces),
    services: factory.informer(Resources.services),
    replicaSets: factory.informer(Resources.replicaSets),
    statefulSets: factory.informer(Resources.statefulSets),
    replicationControllers: factory.informer(Resources.replicationControllers),
    claims: factory.informer(Resources.persistentVolumeClaims),
    volumes: factory.informer(Resources.persistentVolumes),
    storageClasses: factory.informer(Resources.storageClasses),
    csiNodes: factory.informer(Resources.csiNodes),
    resourceClaims: factory.informer(Resources.resourceClaims),
    resourceSlices: factory.informer(Resources.resourceSlices),
    deviceClasses: factory.informer(Resources.deviceClasses),
    budgets: factory.informer(Resources.podDisruptionBudgets),
  };
}

export type ClusterInformers = ReturnType<typeof clusterInformers>;

/** The plugins' view of the cluster, over informers. */
export function clusterView(informers: ClusterInformers, cache: SchedulerCache, nominator: Nominator): ClusterView {
  const { namespaces, claims, volumes, storageClasses, csiNodes, budgets } = informers;
  return {
    snapshot: () => cache.snapshot(),
    namespace: (name) => namespaces.lister.get(name),
    namespaces: () => namespaces.lister.list(),
    claim: (namespace, name) => claims.lister.get(name, namespace),
    volume: (name) => volumes.lister.get(name),
    volumes: () => volumes.lister.list(),
    storageClass: (name) => (name === '' ? undefined : storageClasses.lister.get(name)),
    csiNode: (name) => csiNodes.lister.get(name),
    resourceClaim: (namespace, name) => informers.resourceClaims.lister.get(name, namespace),
    resourceClaims: () => informers.resourceClaims.lister.list(),
    resourceSlices: () => informers.resourceSlices.lister.list(),
    deviceClass: (name) => informers.deviceClasses.lister.get(name),
    deviceClasses: () => informers.deviceClasses.lister.list(),
    disruptionBudgets: (namespace) => budgets.lister.list({ namespace }),
    defaultSelector: (pod) => defaultSelector(informers, pod),
    nominatedPods: (node) => nominator.on(node),
    isLeavingByPreemption: (pod) =>
      Boolean(pod.metadata.deletionTimestamp) &&
      (pod.status?.conditions ?? []).some((c) => c.type === 'DisruptionTarget' && c.reason === 'PreemptionByScheduler'),
  };
}

/** All of: the selectors of the pod's Services and of its controller. */
function defaultSelector({ services, replicaSets, statefulSets, replicationControllers }: ClusterInformers, pod: Pod): LabelSelector | undefined {
  const namespace = pod.metadata.namespace;
  let all: LabelSelector | undefined;
  const add = (s: LabelSelector) => {
    all = all ? all.and(...s.requirements) : s;
  };
  for (const service of services.lister.list({ namespace })) {
    if (Object.keys(service.spec?.selector ?? {}).length === 0) continue;
    const s = labelSelectorFromSet(service.spec?.selector);
    if (s.matches(pod.metadata.labels)) add(s);
  }
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller);
  if (owner?.kind === 'ReplicationController') add(labelSelectorFromSet(replicationControllers.lister.get(owner.name, namespace)?.spec?.selector));
  else if (owner?.kind === 'ReplicaSet' || owner?.kind === 'StatefulSet') {
    const lister = owner.kind === 'ReplicaSet' ? replicaSets.lister : statefulSets.lister;
    const selector = lister.get(owner.name, namespace)?.spec?.selector;
    if (selector) add(labelSelectorFromObject(selector));
  }
  return all?.isEmpty ? undefined : all;
}
