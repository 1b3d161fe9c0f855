import type { KubeObject, ResourceStrategy, StrategyContext } from '../definition.js';
import { defaultPod, defaultPodTemplate } from '../defaults/pod.js';
import type { Container, Pod, PodTemplate } from '../generated/types.js';
import { mergeLabelKeys } from '../pod/merge-label-keys.js';
import { keepObservedGeneration } from '../pod/observed-generation.js';
import { qosClass } from '../pod/qos-class.js';
import { validateEphemeralContainersUpdate } from '../validation/pod/ephemeral-containers.js';
import { validatePod } from '../validation/pod/pod.js';
import { validatePodResize } from '../validation/pod/resize.js';
import { validatePodUpdate } from '../validation/pod/update.js';
import { validatePodStatusUpdate } from '../validation/pod/status.js';
import { validatePodTemplateSpec } from '../validation/pod/template.js';
import { podWarnings } from '../validation/pod/warnings.js';
import { deepEqual } from '../util/deep-equal.js';
import { bumpGeneration, restore, type StrategyParts } from './lifecycle.js';

const defaulted = (object: KubeObject): void => defaultPod(object as Pod);

export const podStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: defaulted,
  prepareForCreate(object) {
    const pod = object as Pod;
    pod.status = { phase: 'Pending', qosClass: qosClass(pod) };
    setSchedulingGated(pod);
    mergeLabelKeys(pod);
  },
  prepareForUpdate(object, old) {
    restore(object, old, 'status');
  },
  validate: (object) => validatePod(object as Pod),
  validateUpdate: (object, old) => validatePodUpdate(object as Pod, old as Pod),
  // Of pods that are there it is mostly programs that write.
  warnings: (object, old) => (old ? [] : podWarnings((object as Pod).spec)),
  gracePeriod: podGracePeriod,
};

/**
 * Seconds a deleted pod may take. One that was never scheduled, or has ended, goes at once.
 */
function podGracePeriod(object: KubeObject, requested: number | undefined): number {
  const { spec, status } = object as Pod;
  if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}

function setSchedulingGated(pod: Pod): void {
  if ((pod.spec?.schedulingGates ?? []).length === 0 || !pod.status) return;
  pod.status.conditions = [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ];
}

export const podStatusStrategy: ResourceStrategy = {
  prepareForUpdate(object, old) {
    const pod = object as Pod;
    const before = old as Pod;
    pod.metadata.ownerReferences = before.metadata.ownerReferences ?? [];
    if (pod.metadata.ownerReferences.length === 0) delete pod.metadata.ownerReferences;
    keepObservedGeneration(pod, before);
    if (pod.status) pod.status.qosClass = before.status?.qosClass ?? pod.status.qosClass ?? qosClass(pod);
  },
  validateUpdate: (object, old) => validatePodStatusUpdate(object as Pod, old as Pod),
};

/** pods/ephemeralcontainers: only that list is written. */
export const mergeEphemeralContainers = (stored: KubeObject, written: KubeObject): KubeObject => ({
  ...stored,
  metadata: { ...stored.metadata, ...(written.metadata.resourceVersion && { resourceVersion: written.metadata.resourceVersion }) },
  spec: { ...stored.spec, ephemeralContainers: written.spec?.ephemeralContainers },
});

const bumpOnSpecChange = (object: KubeObject, old: KubeObject): void => {
  if (!deepEqual(object.spec, old.spec)) bumpGeneration(object, old);
};

export const ephemeralContainersStrategy: ResourceStrategy = {
  default: defaulted,
  prepareForUpdate: bumpOnSpecChange,
  validate: (object) => validatePod(object as Pod),
  validateUpdate: (object, old) => validateEphemeralContainersUpdate(object as Pod, old as Pod),
};

/** pods/resize: only resources and resize policies of containers, and the pod's own resources, are written. */
export function mergeResize(stored: KubeObject, written: KubeObject): KubeObject {
  const pod = stored as Pod;
  const resized = written as Pod;
  const take = (kept: Container[] | undefined, given: Container[] | undefined): Container[] | undefined =>
    kept?.map((container) => {
      const other = given?.find(({ name }) => name === container.name);
      if (!other) return container;
      return {
        ...container,
        ...(other.resources && { resources: other.resources }),
        ...(other.resizePolicy && { resizePolicy: other.resizePolicy }),
      };
    });
  const { resources: _own, ...spec } = pod.spec ?? {};
  const initContainers = take(pod.spec?.initContainers, resized.spec?.initContainers);
  return {
    ...stored,
    metadata: { ...stored.metadata, ...(written.metadata.resourceVersion && { resourceVersion: written.metadata.resourceVersion }) },
    spec: {
      ...spec,
      containers: take(pod.spec?.containers, resized.spec?.containers),
      ...(initContainers && { initContainers }),
      ...(resized.spec?.resources && { resources: resized.spec.resources }),
    },
  };
}

export const resizeStrategy: ResourceStrategy = {
  default: defaulted,
  prepareForUpdate: (object: KubeObject, old: KubeObject, _context: StrategyContext) => bumpOnSpecChange(object, old),
  validate: (object) => validatePod(object as Pod),
  validateUpdate: (object, old) => validatePodResize(object as Pod, old as Pod),
};

export const podTemplateStrategy: StrategyParts = {
  generationOf: ['template'],
  default: (object) => defaultPodTemplate((object as PodTemplate).template),
  validate: (object) => validatePodTemplateSpec((object as PodTemplate).template, 'template'),
  warnings: (object) => podWarnings((object as PodTemplate).template?.spec, 'template.spec'),
};
