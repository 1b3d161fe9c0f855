import type { ControllerRevision, DaemonSet, KubeObject, PodTemplateSpec, StatefulSet } from '@coxswain/api';
import { hashObject, isAlreadyExists, isNotFound, labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { claimObjects } from '../runtime/claim.js';
import { controllerRef, type OwnerKind } from '../runtime/owners.js';

export const REVISION_LABEL = 'controller-revision-hash';

/** What keeps its templates as revisions. */
export type RevisionOwner = DaemonSet | StatefulSet;

export interface RevisionsOptions {
  readonly client: KubeClient;
  readonly owner: RevisionOwner;
  readonly ownerKind: OwnerKind;
  /** All of the namespace. */
  readonly candidates: readonly ControllerRevision[];
  readonly freshOwner: () => Promise<KubeObject>;
  readonly signal: AbortSignal;
}

const dataOf = (template: PodTemplateSpec | undefined) => ({ spec: { template: { ...template, $patch: 'replace' } } });
export const revisionHash = (r: ControllerRevision): string => r.metadata.labels?.[REVISION_LABEL] ?? '';

/** The template a revision stands for. */
export function templateOf(r: ControllerRevision): PodTemplateSpec {
  const { $patch: _patch, ...template } = (r.data as { spec: { template: PodTemplateSpec & { $patch?: string } } }).spec.template;
  return template as PodTemplateSpec;
}

/**
 * The owner's revisions, oldest first, the last one being that of its present template: made when it is new, given the highest
 * number when an old template comes back.
 */
export async function syncRevisions(o: RevisionsOptions): Promise<ControllerRevision[]> {
  const { client, owner, ownerKind, signal } = o;
  const namespace = owner.metadata.namespace;
  const api = client.api.controllerRevisions(namespace);
  const owned = await claimObjects<ControllerRevision>({
    owner,
    ownerKind,
    signal,
    selector: labelSelectorFromObject(owner.spec?.selector),
    objects: o.candidates,
    client: api,
    freshOwner: o.freshOwner,
  });
  const all = [...owned].sort((a, b) => a.revision - b.revision || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''));
  const wanted = dataOf(owner.spec?.template);
  const next = (all.at(-1)?.revision ?? 0) + 1;
  const same = all.findLast((r) => semanticEqual(r.data, wanted));
  if (same && same === all.at(-1)) return all;
  if (same) {
    const moved = await api.update({ ...same, revision: next }, { signal });
    return [...all.filter((r) => r !== same), moved];
  }
  for (let collisions = owner.status?.collisionCount ?? 0; ; collisions++) {
    const hash = hashObject(wanted, collisions === 0 ? undefined : collisions);
    const revision: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${owner.metadata.name ?? ''}-${hash}`,
        ...(namespace !== undefined && { namespace }),
        labels: { ...owner.spec?.template?.metadata?.labels, [REVISION_LABEL]: hash },
        annotations: { ...owner.metadata.annotations },
        ownerReferences: [controllerRef(owner, ownerKind)],
      },
      data: wanted,
      revision: next,
    };
    try {
      return [...all, await api.create(revision, { signal })];
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const there = await api.get(revision.metadata.name ?? '', { signal });
      if (semanticEqual(there.data, wanted) && there.metadata.ownerReferences?.some((r) => r.uid === owner.metadata.uid)) return [...all, there];
    }
  }
}

/** Deletes what no pod uses beyond the history limit, oldest first. `live`: hashes in use. */
export async function truncateHistory(
  client: KubeClient,
  owner: RevisionOwner,
  all: readonly ControllerRevision[],
  live: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const unused = all.filter((r, i) => i < all.length - 1 && !live.has(revisionHash(r)) && !live.has(r.metadata.name ?? ''));
  const limit = owner.spec?.revisionHistoryLimit ?? 10;
  // Below none is no limit.
  const surplus = limit < 0 ? 0 : unused.length - limit;
  for (const r of unused.slice(0, Math.max(0, surplus))) {
    try {
      await client.api.controllerRevisions(owner.metadata.namespace).delete(r.metadata.name ?? '', { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
