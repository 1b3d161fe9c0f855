import type { Pod } from '@coxswain/api';
import { podContainers } from '../pod/pod-spec.js';
import type { ObjectKind } from './object-store.js';

/** The config maps and secrets a pod names anywhere in its spec. */
export function objectReferences(pod: Pod): { readonly kind: ObjectKind; readonly name: string }[] {
  const found = new Map<string, { kind: ObjectKind; name: string }>();
  const add = (kind: ObjectKind, name: string | undefined) => {
    if (name) found.set(`${kind}/${name}`, { kind, name });
  };
  for (const v of pod.spec?.volumes ?? []) {
    add('ConfigMap', v.configMap?.name);
    add('Secret', v.secret?.secretName);
    for (const s of v.projected?.sources ?? []) {
      add('ConfigMap', s.configMap?.name);
      add('Secret', s.secret?.name);
    }
  }
  for (const { container } of podContainers(pod)) {
    for (const source of container.envFrom ?? []) {
      add('ConfigMap', source.configMapRef?.name);
      add('Secret', source.secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add('ConfigMap', valueFrom?.configMapKeyRef?.name);
      add('Secret', valueFrom?.secretKeyRef?.name);
    }
  }
  for (const s of pod.spec?.imagePullSecrets ?? []) add('Secret', s.name);
  return [...found.values()];
}
