import type { KubeObject } from '../definition.js';
import type { JsonObject } from '../schema.js';
import { FieldPath } from './field-path.js';

/** Fields of one feature gate, which is off: they are dropped from what is written, unless the object had one of them before. */
export interface GatedFields {
  readonly gate: string;
  readonly fields: readonly FieldPath[];
}

const gated = (gate: string, fields: readonly string[]) => ({ gate, fields });

type Row = ReturnType<typeof gated>;

/** Of a pod's `spec`, wherever there is one. */
const POD_SPEC: readonly Row[] = [
  gated('ClusterTrustBundleProjection', ['volumes[].projected.sources[].clusterTrustBundle']),
  gated('PodCertificateRequest', ['volumes[].projected.sources[].podCertificate']),
  gated('GenericWorkload', ['schedulingGroup']),
];

const podSpecAt = (prefix: string): readonly Row[] => POD_SPEC.map(({ gate, fields }) => ({ gate, fields: fields.map((each) => `${prefix}.${each}`) }));

const TEMPLATE = podSpecAt('spec.template.spec');

/**
 * By kind, as `group/Kind`: the fields of v1 types whose gate is off in v1.36 unless somebody turns it on (`kubernetesFeatureGates`). What upstream refuses
 * rather than drops is with the validation; a claim's `dataSourceRef` has a rule of its own.
 */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  '/Pod': [
    ...podSpecAt('spec'),
    gated('DRANodeAllocatableResources', ['status.nodeAllocatableResourceClaimStatuses']),
    gated(
      'ImageVolumeWithDigest',
      ['initContainerStatuses[]', 'containerStatuses[]', 'ephemeralContainerStatuses[]'].map((each) => `status.${each}.volumeMounts[].volumeStatus.image`),
    ),
  ],
  '/PodTemplate': podSpecAt('template.spec'),
  '/ReplicationController': TEMPLATE,
  'apps/DaemonSet': TEMPLATE,
  'apps/Deployment': TEMPLATE,
  'apps/ReplicaSet': TEMPLATE,
  'apps/StatefulSet': TEMPLATE,
  'batch/CronJob': podSpecAt('spec.jobTemplate.spec.template.spec'),
  'batch/Job': TEMPLATE,
  // What configured kubelets by the API server is gone, not off.
  '/Node': [gated('DynamicKubeletConfig', ['spec.configSource']), gated('DynamicKubeletConfig', ['status.config'])],
  'coordination.k8s.io/Lease': [gated('CoordinatedLeaderElection', ['spec.strategy']), gated('CoordinatedLeaderElection', ['spec.preferredHolder'])],
  'resource.k8s.io/ResourceSlice': [
    gated('DRANodeAllocatableResources', ['spec.devices[].nodeAllocatableResourceMappings']),
    gated(
      'DRAListTypeAttributes',
      ['bools', 'ints', 'strings', 'versions'].map((each) => `spec.devices[].attributes{}.${each}`),
    ),
  ],
  'storage.k8s.io/CSIDriver': [gated('VolumeLimitScaling', ['spec.preventPodSchedulingIfMissing'])],
};

/** The gated fields of a kind; none for most. */
export function gatedFieldsOf(group: string, kind: string): readonly GatedFields[] {
  return (TABLE[`${group}/${kind}`] ?? []).map(({ gate, fields }) => ({ gate, fields: fields.map((text) => new FieldPath(text)) }));
}

/** Drops what is gated from a new object (`old` undefined), or from an update of one that had none of it. */
export function dropGatedFields(rules: readonly GatedFields[], object: KubeObject, old: KubeObject | undefined): void {
  for (const { fields } of rules) {
    const set = fields.filter((each) => each.isSet(object as JsonObject));
    if (set.length === 0 || (old && fields.some((each) => each.isSet(old as JsonObject)))) continue;
    for (const field of set) field.clear(object as JsonObject);
  }
}
