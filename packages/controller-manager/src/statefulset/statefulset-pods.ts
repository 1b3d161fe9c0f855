import type { ControllerRevision, KubeObject, PersistentVolumeClaim, Pod, StatefulSet, Volume } from '@coxswain/api';
import { podFromTemplate } from '../pods/pod-from-template.js';
import { REVISION_LABEL, revisionHash, templateOf } from '../revisions/controller-revisions.js';

export const STATEFUL_SET = { apiVersion: 'apps/v1', kind: 'StatefulSet' } as const;
const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

export const podNameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name ?? ''}-${ordinal}`;

/** The pod's number; undefined: it is none of the set's names. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const name = pod.metadata.name ?? '';
  const prefix = `${set.metadata.name ?? ''}-`;
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

/** Whether the set wants a pod of this number. */
export const inRange = ({ spec }: StatefulSet, ordinal: number): boolean => {
  const start = spec?.ordinals?.start ?? 0;
  return ordinal >= start && ordinal < start + (spec?.replicas ?? 1);
};

/** The labels by which a pod of the set is known. */
export const identityOf = (set: StatefulSet, ordinal: number): Record<string, string> => ({
  [POD_NAME]: podNameOf(set, ordinal),
  [POD_INDEX]: String(ordinal),
});

export const claimName = (set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string =>
  `${template.metadata.name ?? ''}-${podNameOf(set, ordinal)}`;

/** The claims of one pod, by volume. */
export function claimsFor(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((t) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, t, ordinal),
      ...(set.metadata.namespace !== undefined && { namespace: set.metadata.namespace }),
      labels: { ...t.metadata.labels, ...set.spec?.selector?.matchLabels },
      annotations: { ...t.metadata.annotations },
    },
    spec: structuredClone(t.spec) ?? {},
  }));
}

/** The pod of this number as the revision says: its name, host name and storage are its own for ever. */
export function statefulPod(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const name = podNameOf(set, ordinal);
  const pod = podFromTemplate(templateOf(revision), set as KubeObject, STATEFUL_SET, name);
  pod.metadata.labels = {
    ...pod.metadata.labels,
    ...identityOf(set, ordinal),
    [REVISION_LABEL]: revision.metadata.name ?? revisionHash(revision),
  };
  const spec = pod.spec as NonNullable<Pod['spec']>;
  spec.hostname = name;
  if (set.spec?.serviceName) spec.subdomain = set.spec.serviceName;
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const own: Volume[] = templates.map((t) => ({
    name: t.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, t, ordinal), readOnly: false },
  }));
  const names = new Set(own.map((v) => v.name));
  const volumes = [...own, ...(spec.volumes ?? []).filter((v) => !names.has(v.name))];
  if (volumes.length > 0) spec.volumes = volumes;
  return pod;
}

export const revisionOfPod = (pod: Pod): string => pod.metadata.labels?.[REVISION_LABEL] ?? '';
