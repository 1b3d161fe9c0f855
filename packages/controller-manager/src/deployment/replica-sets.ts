import type { Deployment, PodTemplateSpec, ReplicaSet } from '@coxswain/api';
import { hashObject, semanticEqual } from '@coxswain/apimachinery';
import { createdAt } from '../pods/pod-state.js';
import { controllerRef } from '../runtime/owners.js';
import { replicaSetAnnotations, revisionOf } from './annotations.js';
import { rolloutLimits } from './limits.js';
import { newReplicaSetSize, specReplicas } from './rollout.js';

export const HASH_LABEL = 'pod-template-hash';
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const;

/** The template without the label the controller adds. */
function plain(template: PodTemplateSpec | undefined): unknown {
  if (!template?.metadata?.labels?.[HASH_LABEL]) return template;
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The ReplicaSet of the Deployment's present template: the oldest, should there be several. */
export function findNewReplicaSet(d: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets]
    .sort((a, b) => createdAt(a) - createdAt(b) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''))
    .find((rs) => semanticEqual(plain(rs.spec?.template), plain(d.spec?.template)));
}

/** The revision that follows all of theirs. */
export const nextRevision = (sets: readonly ReplicaSet[]): bigint =>
  sets.reduce((m, rs) => {
    const revision = revisionOf(rs);
    return revision > m ? revision : m;
  }, 0n) + 1n;

/** The ReplicaSet to make for the Deployment's template. Its name is the same for the same template and collision count. */
export function makeReplicaSet(d: Deployment, old: readonly ReplicaSet[]): ReplicaSet {
  const hash = hashObject(d.spec?.template, d.status?.collisionCount ?? undefined);
  const template = structuredClone(d.spec?.template) as PodTemplateSpec;
  template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [HASH_LABEL]: hash } };
  const selector = structuredClone(d.spec?.selector) ?? {};
  const wanted = d.spec?.replicas ?? 1;
  const annotations = replicaSetAnnotations(d, undefined, nextRevision(old), wanted, wanted + rolloutLimits(d).maxSurge);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${d.metadata.name ?? ''}-${hash}`,
      ...(d.metadata.namespace !== undefined && { namespace: d.metadata.namespace }),
      labels: { ...template.metadata.labels },
      annotations,
      ownerReferences: [controllerRef(d as never, DEPLOYMENT)],
    },
    spec: {
      replicas: newReplicaSetSize(d, old, 0),
      minReadySeconds: d.spec?.minReadySeconds ?? 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template,
    },
  };
}

/** Old, empty ReplicaSets beyond the history limit, the oldest revisions first. */
export function surplusHistory(d: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = d.spec?.revisionHistoryLimit ?? 10;
  const alive = old.filter((rs) => !rs.metadata.deletionTimestamp);
  const count = alive.length - limit;
  if (count <= 0) return [];
  return alive
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || createdAt(a) - createdAt(b))
    .slice(0, count)
    .filter((rs) => (rs.status?.replicas ?? 0) === 0 && specReplicas(rs) === 0 && (rs.metadata.generation ?? 0) <= (rs.status?.observedGeneration ?? 0));
}
