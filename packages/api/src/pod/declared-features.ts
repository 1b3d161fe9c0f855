import type { Pod, PodSpec } from '../generated/types.js';
import { parseQuantity } from '../quantity/quantity.js';
import { deepEqual } from '../util/deep-equal.js';
import { qosClass } from './qos-class.js';

/** A feature that nodes declare in `status.declaredFeatures`, because nodes of other versions or settings do not have it. */
export interface DeclaredFeature {
  readonly name: string;
  /** A pod has to be placed on a node that has it. */
  readonly placing?: (spec: PodSpec) => boolean;
  /** A bound pod can be changed so only where its node has it. */
  readonly changing?: (pod: Pod, old: Pod) => boolean;
}

/** Those that v1.36 knows. */
export const declaredFeatures: readonly DeclaredFeature[] = [
  {
    name: 'GuaranteedQoSPodCPUResize',
    changing: (pod, old) =>
      (old.status?.qosClass ?? qosClass(old)) === 'Guaranteed' &&
      (old.spec?.containers ?? []).some(({ resources }, index) => cpu(resources?.requests) !== cpu(pod.spec?.containers?.[index]?.resources?.requests)),
  },
  { name: 'InPlacePodLevelResourcesVerticalScaling', changing: (pod, old) => !deepEqual(pod.spec?.resources, old.spec?.resources) },
  {
    name: 'RestartAllContainersOnContainerExits',
    placing: ({ containers, initContainers = [] }) =>
      [...(containers ?? []), ...initContainers].some((each) => each.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers')),
  },
  { name: 'UserNamespacesHostNetworkSupport', placing: ({ hostNetwork, hostUsers }) => hostNetwork === true && hostUsers === false },
];

const cpu = (requests: Readonly<Record<string, string>> | undefined): bigint => (requests?.['cpu'] === undefined ? 0n : parseQuantity(requests['cpu']).nanos);

/** Names of what a node has to declare for this pod to be placed on it. */
export const featuresToPlace = ({ spec }: Pod): string[] => (spec ? declaredFeatures.filter(({ placing }) => placing?.(spec)).map(({ name }) => name) : []);

/** Names of what the node of a pod has to declare for the pod to be changed so. */
export const featuresToChange = (pod: Pod, old: Pod): string[] => declaredFeatures.filter(({ changing }) => changing?.(pod, old)).map(({ name }) => name);
