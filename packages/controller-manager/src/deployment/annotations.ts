import type { Deployment, ReplicaSet } from '@coxswain/api';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** Annotations of the Deployment that its ReplicaSets do not get. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

type Annotated = { readonly metadata: { readonly annotations?: Record<string, string> } };

/** The revision as the 64-bit number it is; 0n where there is none, or text that is no number. */
export const revisionOf = (object: Annotated): bigint => {
  const text = object.metadata.annotations?.[REVISION];
  return text !== undefined && /^-?\d{1,19}$/.test(text) ? BigInt.asIntN(64, BigInt(text)) : 0n;
};

/** What a ReplicaSet of the Deployment should have by way of annotations, given those it has. */
export function replicaSetAnnotations(d: Deployment, rs: Annotated | undefined, revision: bigint, desired: number, max: number): Record<string, string> {
  const out: Record<string, string> = { ...rs?.metadata.annotations };
  for (const [k, v] of Object.entries(d.metadata.annotations ?? {})) if (!NOT_COPIED.has(k)) out[k] = v;
  const before = rs ? revisionOf(rs) : 0n;
  if (before < revision) {
    if (before > 0n)
      out[REVISION_HISTORY] = [...(out[REVISION_HISTORY]?.split(',') ?? []), String(before)]
        .filter((r) => r !== '')
        .slice(-100)
        .join(',');
    out[REVISION] = String(revision);
  }
  out[DESIRED_REPLICAS] = String(desired);
  out[MAX_REPLICAS] = String(max);
  return out;
}

/** The number of replicas the Deployment wanted when the ReplicaSet was last scaled. */
export function desiredReplicas(rs: ReplicaSet): number | undefined {
  const text = rs.metadata.annotations?.[DESIRED_REPLICAS];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

export function maxReplicas(rs: ReplicaSet): number | undefined {
  const text = rs.metadata.annotations?.[MAX_REPLICAS];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
