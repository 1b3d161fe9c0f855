import type { KubeObject, ResourceStrategy, StrategyContext } from '../definition.js';
import { defaultPod, defaultPodTemplate } from '../defaults/pod.js';
import type { Container, Pod, PodSpec, PodTemplate } from '../generated/types.js';
import { mergeLabelKeys } from '../pod/merge-label-keys.js';
import { keepObservedGeneration } from '../pod/observed-generation.js';
import { qosClass } from '../pod/qos-class.js';
import { ipWarnings } from '../validation/ip.js';
import { validatePodAnnotationUpdates } from '../validation/pod/annotations.js';
import { validateEphemeralContainersUpdate } from '../validation/pod/ephemeral-containers.js';
import { validatePod } from '../validation/pod/pod.js';
import { validatePodResize } from '../validation/pod/resize.js';
import { validatePodUpdate } from '../validation/pod/update.js';
import { validatePodStatusUpdate } from '../validation/pod/status.js';
import { validatePodTemplateSpec } from '../validation/pod/template.js';
import { podWarnings } from '../validation/pod/warnings.js';
import { deepEqual } from '../util/deep-equal.js';
import { bumpGeneration, restore, type StrategyParts } from './lifecycle.js';
import { matchAppArmor } from './pod-app-armor.js';
import { hostnameWarnings, onNewSpec } from './template-warnings.js';

const defaulted = (object: KubeObject): void => defaultPod(object as Pod);

export const podStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: defaulted,
  prepareForCreate(object) {
    const pod = object as Pod;
    pod.status = { phase: 'Pending', qosClass: qosClass(pod) };
    setSchedulingGated(pod);
    mergeLabelKeys(pod);
    matchAppArmor(pod);
  },
  prepareForUpdate(object, old) {
    restore(object, old, 'status');
  },
  validate: (object, old) => validatePod(object as Pod, old as Pod | undefined),
  validateUpdate: (object, old) => validatePodUpdate(object as Pod, old as Pod),
  // Of pods that are there it is mostly programs that write.
  warnings: (object, old) => (old ? [] : [...hostnameWarnings(object), ...podWarnings(object as Pod, '')]),
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
    if (pod.status && !pod.status.qosClass && before.status?.qosClass) pod.status.qosClass = before.status.qosClass;
  },
  validateUpdate: (object, old) => validatePodStatusUpdate(object as Pod, old as Pod),
  warnings: (object) =>
    (['podIPs', 'hostIPs'] as const).flatMap((key) =>
      ((object as Pod).status?.[key] ?? []).flatMap(({ ip }, index) => ipWarnings(ip, `status.${key}[${index}].ip`)),
    ),
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
  updateIsWhole: true,
  validateUpdate: (object, old) => [
    ...validatePod(object as Pod, old as Pod),
    ...validatePodAnnotationUpdates(object as Pod, old as Pod),
    ...validateEphemeralContainersUpdate(object as Pod, old as Pod),
  ],
};

/** pods/resize: only resources and resize policies of containers, and the pod's own resources, are written; other containers, the validation refuses. */
export function mergeResize(stored: KubeObject, written: KubeObject): KubeObject {
  const [pod, resized] = [stored as Pod, written as Pod];
  const metadata = { ...stored.metadata, ...(written.metadata.resourceVersion && { resourceVersion: written.metadata.resourceVersion }) };
  const count = (spec: PodSpec | undefined, list: 'containers' | 'initContainers') => spec?.[list]?.length ?? 0;
  for (const list of ['containers', 'initContainers'] as const) {
    if (count(pod.spec, list) !== count(resized.spec, list)) return { ...stored, metadata, spec: resized.spec };
  }
  const { resources: _own, ...spec } = pod.spec ?? {};
  const initContainers = resizedOf(pod.spec?.initContainers, resized.spec?.initContainers);
  return {
    ...stored,
    metadata,
    spec: {
      ...spec,
      containers: resizedOf(pod.spec?.containers, resized.spec?.containers),
      ...(initContainers && { initContainers }),
      ...(resized.spec?.resources && { resources: resized.spec.resources }),
    },
  };
}

function resizedOf(kept: Container[] | undefined, given: Container[] | undefined): Container[] | undefined {
  if (!kept || kept.some(({ name }, index) => given?.[index]?.name !== name)) return given;
  return kept.map((container, index) => {
    const { resources: _, resizePolicy: _policy, ...rest } = container;
    const { resources, resizePolicy } = given?.[index] ?? {};
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });
}

export const resizeStrategy: ResourceStrategy = {
  default: defaulted,
  prepareForUpdate: (object: KubeObject, old: KubeObject, _context: StrategyContext) => bumpOnSpecChange(object, old),
  updateIsWhole: true,
  validateUpdate: (object, old) => [...validatePod(object as Pod, old as Pod), ...validatePodResize(object as Pod, old as Pod)],
};

export const podTemplateStrategy: StrategyParts = {
  generationOf: ['template'],
  default: (object) => defaultPodTemplate((object as PodTemplate).template),
  validate: (object, old) => validatePodTemplateSpec((object as PodTemplate).template, 'template', (old as PodTemplate | undefined)?.template),
  warnings: onNewSpec((object) => podWarnings((object as PodTemplate).template, 'template')),
};
