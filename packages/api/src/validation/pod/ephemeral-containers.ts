import type { FieldError } from '../../field-error.js';
import type { Container, EphemeralContainer, Pod, PodSpec } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { each } from '../common.js';
import { duplicate, forbidden, notFound } from '../errors.js';
import { validateContainerCommon } from './containers.js';
import { scopeOf } from './pod-spec.js';

const FORBIDDEN = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resources', 'resizePolicy', 'restartPolicy'] as const;

export function validateEphemeralContainers(spec: PodSpec, field: string): FieldError[] {
  const taken = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const targets = new Set(taken);
  const scope = scopeOf(spec);
  return each(spec.ephemeralContainers, field, (container, path) => {
    const errors = validateContainerCommon(container as Container, path, scope);
    if (taken.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
    taken.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) errors.push(notFound(`${path}.targetContainerName`, target));
    for (const key of FORBIDDEN) {
      const value = container[key as keyof EphemeralContainer];
      if (value !== undefined && !deepEqual(value, {}) && !deepEqual(value, [])) {
        errors.push(forbidden(`${path}.${key}`, 'cannot be set for an Ephemeral Container'));
      }
    }
    for (const [index, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) errors.push(forbidden(`${path}.volumeMounts[${index}].subPath`, 'cannot be set for an Ephemeral Container'));
      if (subPathExpr) errors.push(forbidden(`${path}.volumeMounts[${index}].subPathExpr`, 'cannot be set for an Ephemeral Container'));
    }
    return errors;
  });
}

/** Ephemeral containers are only ever added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec?.ephemeralContainers ?? []).flatMap((container) => {
    const kept = now.get(container.name);
    if (!kept) {
      return [forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`)];
    }
    if (deepEqual(kept, container)) return [];
    return [forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n`)];
  });
}
