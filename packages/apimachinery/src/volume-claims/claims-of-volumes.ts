import type { Pod, Volume } from '@coxswain/api';

/** The claim that a pod's volume stands for: the one it names, or the one made for an ephemeral volume, named after pod and volume. Undefined: none. */
export function claimOfVolume({ metadata }: Pick<Pod, 'metadata'>, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  return persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name ?? ''}-${name}` : undefined);
}

/** Names of the claims of all its volumes. */
export function claimsOfVolumes(pod: Pick<Pod, 'metadata' | 'spec'>): string[] {
  const names: string[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = claimOfVolume(pod, volume);
    if (claim !== undefined) names.push(claim);
  }
  return names;
}
