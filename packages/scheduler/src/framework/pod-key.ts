import type { Pod } from '@coxswain/api';

/** Identifies a pod for its whole life: the uid, or the name where there is none (tests, static pods not yet mirrored). */
export const podKey = (pod: Pod): string => pod.metadata.uid ?? podName(pod);

/** `namespace/name`, for messages. */
export const podName = (pod: Pod): string => `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
