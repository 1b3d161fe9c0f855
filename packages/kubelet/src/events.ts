import type { KubeObject, Pod } from '@coxswain/api';

export type EventType = 'Normal' | 'Warning';

/** Where the kubelet's events go. Never fails, never blocks. */
export interface KubeletEvents {
  /** `container` names the part of the pod it is about. */
  pod(pod: Pod, type: EventType, reason: string, message: string, container?: string): void;
  node(type: EventType, reason: string, message: string): void;
}

/** `spec.containers{web}`, `spec.initContainers{…}`: the part of a pod an event is about. */
export function containerFieldPath(pod: Pod, container: string): string | undefined {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  const list = lists.find((name) => pod.spec?.[name]?.some((c) => c.name === container));
  return list ? `spec.${list}{${container}}` : undefined;
}

export type EventTarget = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;
