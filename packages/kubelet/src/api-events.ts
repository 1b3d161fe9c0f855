import type { ObjectReference, Pod } from '@coxswain/api';
import type { EventRecorder } from '@coxswain/client';
import type { Logger } from '@coxswain/sdk';
import { containerFieldPath, type KubeletEvents } from './events.js';

/** Kubelet events through an event recorder. Events of a static pod go to its mirror, the one object users see. */
export function apiEvents(recorder: EventRecorder, nodeName: string, apiPod: (pod: Pod) => Pod | undefined): KubeletEvents {
  return {
    pod(pod, type, reason, message, container) {
      const shown = apiPod(pod) ?? pod;
      const { name, namespace, uid, resourceVersion } = shown.metadata ?? {};
      const fieldPath = container === undefined ? undefined : containerFieldPath(pod, container);
      const reference: ObjectReference = {
        apiVersion: 'v1',
        kind: 'Pod',
        ...(name ? { name } : {}),
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
        ...(fieldPath ? { fieldPath } : {}),
      };
      recorder.event(reference, type, reason, message);
    },
    node(type, reason, message) {
      recorder.event({ kind: 'Node', name: nodeName, uid: nodeName }, type, reason, message);
    },
  };
}

/** Events of a node that belongs to no cluster: the log is all there is to write them to. */
export function loggedEvents(logger: Logger): KubeletEvents {
  return {
    pod: (pod, type, reason, message) => logger.info(message, { event: reason, type, pod: `${pod.metadata?.namespace}/${pod.metadata?.name}` }),
    node: (type, reason, message) => logger.info(message, { event: reason, type }),
  };
}
