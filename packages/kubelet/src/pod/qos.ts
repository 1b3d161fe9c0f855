import type { Container, Pod } from '@coxswain/api';
import { quantityValue } from './quantity.js';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

/** The class a pod falls in by its cpu and memory requests and limits (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos). */
export function qosClass(pod: Pod): QosClass {
  if (pod.status?.qosClass) return pod.status.qosClass as QosClass;
  const all: Container[] = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const sources = pod.spec?.resources?.requests || pod.spec?.resources?.limits ? [{ resources: pod.spec.resources }] : all;
  let any = false;
  let guaranteed = sources.length > 0;
  for (const { resources } of sources) {
    for (const name of COUNTED) {
      const request = quantityValue(resources?.requests?.[name]);
      const limit = quantityValue(resources?.limits?.[name]);
      if (request > 0 || limit > 0) any = true;
      if (limit <= 0 || (request > 0 && request !== limit)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
