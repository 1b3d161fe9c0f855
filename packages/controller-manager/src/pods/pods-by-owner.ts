import type { KubeObject, Pod } from '@coxswain/api';
import type { SharedInformer } from '@coxswain/client';
import { controllerOf } from '../runtime/owners.js';

const INDEX = 'controller';
const orphansOf = (namespace: string | undefined): string => `orphans/${namespace ?? ''}`;

export interface PodsByOwner {
  /** Those it manages. */
  controlledBy(owner: Pick<KubeObject, 'metadata'>): Pod[];
  /** Those it manages and those of its namespace that nobody manages: all that a claim has to look at. */
  claimable(owner: Pick<KubeObject, 'metadata'>): Pod[];
}

/** Pods by who manages them: what an owner's reconciliation costs depends on its own pods, not on those of its namespace. */
export function podsByOwner(pods: SharedInformer<Pod>): PodsByOwner {
  pods.addIndex(INDEX, (pod) => [controllerOf(pod)?.uid ?? orphansOf(pod.metadata.namespace)]);
  const controlledBy = ({ metadata }: Pick<KubeObject, 'metadata'>) => pods.lister.byIndex(INDEX, metadata.uid ?? '');
  return {
    controlledBy,
    claimable: (owner) => [...controlledBy(owner), ...pods.lister.byIndex(INDEX, orphansOf(owner.metadata.namespace))],
  };
}
