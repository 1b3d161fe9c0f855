import type { ObjectMetaLike } from '../../definition.js';
import type { LabelSelector, NodeSelectorTerm, PodAffinityTerm, PodSpec } from '../../generated/types.js';
import { isLabelValue } from '../names.js';
import { validateLabelSelector } from '../common.js';
import { isHostSysctl } from './sysctls.js';
import { indivisibleHugePages } from './resources.js';
import { addMatchLabelKeys } from './topology-spread.js';
import { containersOf } from './visit.js';

/** What a pod's checks let pass, as what is stored has it already. */
export interface PodOptions {
  /** A pod, not a template of pods. */
  readonly isPod: boolean;
  readonly anyDeletionCost: boolean;
  readonly anyAffinitySelector: boolean;
  readonly anyNodeAffinityValue: boolean;
  readonly anySpreadSelector: boolean;
  readonly oldMatchLabelKeys: boolean;
  readonly anyHostSysctl: boolean;
  readonly anyTokenPath: boolean;
  readonly anyHugePages: boolean;
  readonly devicesInUserNamespace: boolean;
  readonly hostNetworkInUserNamespace: boolean;
  readonly emptyImageReference: boolean;
  readonly restartOnResizeOfInit: boolean;
  readonly comparingTolerations: boolean;
  readonly restartAllContainers: boolean;
  readonly anySELinuxChangePolicy: boolean;
}

const STRICT: PodOptions = {
  isPod: false,
  anyDeletionCost: false,
  anyAffinitySelector: false,
  anyNodeAffinityValue: false,
  anySpreadSelector: false,
  oldMatchLabelKeys: false,
  anyHostSysctl: false,
  anyTokenPath: false,
  anyHugePages: false,
  devicesInUserNamespace: false,
  hostNetworkInUserNamespace: false,
  emptyImageReference: false,
  restartOnResizeOfInit: false,
  comparingTolerations: false,
  restartAllContainers: false,
  anySELinuxChangePolicy: false,
};
const STRICT_POD: PodOptions = { ...STRICT, isPod: true };

interface Stored {
  readonly metadata?: Pick<ObjectMetaLike, 'annotations'>;
  readonly spec?: PodSpec;
}

/** For a new pod or template, or for an update of what is stored. */
export function podOptions(isPod: boolean, old?: Stored): PodOptions {
  const spec = old?.spec;
  if (!spec) return isPod ? STRICT_POD : STRICT;
  const containers = containersOf(spec);
  return {
    isPod,
    anyDeletionCost: false,
    anyAffinitySelector: affinityTerms(spec).some(({ labelSelector, namespaceSelector }) => hasWrongValue(labelSelector) || hasWrongValue(namespaceSelector)),
    anyNodeAffinityValue: hasWrongTerm(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms),
    anySpreadSelector: (spec.topologySpreadConstraints ?? []).some(({ labelSelector }) => validateLabelSelector(labelSelector, '').length > 0),
    oldMatchLabelKeys: (spec.topologySpreadConstraints ?? []).some(({ matchLabelKeys, labelSelector }) => {
      const found: [] = [];
      addMatchLabelKeys(found, '', matchLabelKeys, undefined, labelSelector);
      return found.length > 0;
    }),
    anyHostSysctl: (spec.securityContext?.sysctls ?? []).some(({ name }) => isHostSysctl(name, spec) !== undefined),
    anyTokenPath: (spec.volumes ?? []).some(({ projected }) =>
      (projected?.sources ?? []).some(({ serviceAccountToken: token }) => token && !isLocal(token.path)),
    ),
    anyHugePages: containers.some(({ resources }) =>
      [resources?.limits, resources?.requests].some((list) => Object.entries(list ?? {}).some(([name, quantity]) => indivisibleHugePages(name, quantity))),
    ),
    devicesInUserNamespace: spec.hostUsers === false && containers.some(({ volumeDevices }) => (volumeDevices ?? []).length > 0),
    hostNetworkInUserNamespace: spec.hostUsers === false && spec.hostNetwork === true,
    emptyImageReference: (spec.volumes ?? []).some(({ image }) => image && !image.reference),
    restartOnResizeOfInit: (spec.initContainers ?? []).some(
      ({ restartPolicy, resizePolicy }) => restartPolicy !== 'Always' && (resizePolicy ?? []).some((each) => each.restartPolicy === 'RestartContainer'),
    ),
    comparingTolerations: (spec.tolerations ?? []).some(({ operator }) => operator === 'Lt' || operator === 'Gt'),
    restartAllContainers: containers.some(({ restartPolicyRules }) => (restartPolicyRules ?? []).some(({ action }) => action === 'RestartAllContainers')),
    anySELinuxChangePolicy: spec.securityContext?.seLinuxChangePolicy !== undefined && spec.securityContext.seLinuxChangePolicy !== 'Recursive',
  };
}

function affinityTerms({ affinity }: PodSpec): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((rules) => [
    ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
}

const isWrong = (value: string): boolean => isLabelValue(value).length > 0;

const hasWrongValue = (selector: LabelSelector | undefined): boolean =>
  (selector?.matchExpressions ?? []).some(({ values }) => (values ?? []).some(isWrong)) || Object.values(selector?.matchLabels ?? {}).some(isWrong);

/** Whether values of a node selector's terms are no label values. */
export const hasWrongTerm = (terms: readonly NodeSelectorTerm[] | undefined): boolean =>
  (terms ?? []).some(({ matchExpressions }) => (matchExpressions ?? []).some(({ values }) => (values ?? []).some(isWrong)));

const isLocal = (path: string): boolean => !path.startsWith('/') && !path.startsWith('..') && !path.split('/').includes('..');
