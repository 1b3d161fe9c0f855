import type { KubeObject, Pod, PodTemplateSpec } from '@coxswain/api';
import { controllerRef, type OwnerKind } from '../runtime/owners.js';

/** A pod as its owner's template says. Its name is made by the API server from the owner's, unless `name` is given. */
export function podFromTemplate(template: PodTemplateSpec | undefined, owner: KubeObject, ownerKind: OwnerKind, name?: string): Pod {
  const meta = template?.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(name === undefined ? { generateName: generateNamePrefix(owner.metadata.name ?? '') } : { name }),
      ...(owner.metadata.namespace !== undefined && { namespace: owner.metadata.namespace }),
      labels: { ...meta?.labels },
      annotations: { ...meta?.annotations },
      ...(meta?.finalizers && { finalizers: [...meta.finalizers] }),
      ownerReferences: [controllerRef(owner, ownerKind)],
    },
    spec: structuredClone(template?.spec) ?? { containers: [] },
  };
}

/** `web-`, or `web` when the dash would make it too long for a name. */
export const generateNamePrefix = (name: string): string => (name.length + 1 <= 247 ? `${name}-` : name);
