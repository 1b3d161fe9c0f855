import type { FieldError } from '../../field-error.js';
import type { Pod } from '../../generated/types.js';
import { forbidden, required } from '../errors.js';
import { validateEphemeralContainers } from './ephemeral-containers.js';
import { validatePodSpec } from './pod-spec.js';

export function validatePod(pod: Pod): FieldError[] {
  const { spec, metadata } = pod;
  if (!spec) return [required('spec.containers')];
  const errors = [...validatePodSpec(spec, 'spec'), ...validateEphemeralContainers(spec, 'spec.ephemeralContainers')];
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0 && !metadata.deletionTimestamp) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  if ((spec.ephemeralContainers ?? []).length > 0 && !metadata.resourceVersion) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  return errors;
}
