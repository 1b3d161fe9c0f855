import type { FieldError } from '../../field-error.js';
import type { PodTemplateSpec } from '../../generated/types.js';
import { forbidden, required } from '../errors.js';
import { validateAnnotations, validateLabels } from '../object-meta.js';
import { validatePodSpec } from './pod-spec.js';

export function validatePodTemplateSpec(template: PodTemplateSpec | undefined, field: string): FieldError[] {
  if (!template?.spec) return [required(`${field}.spec.containers`)];
  const errors = [
    ...validateLabels(template.metadata?.labels, `${field}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${field}.annotations`),
    ...validatePodSpec(template.spec, `${field}.spec`),
  ];
  if ((template.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
  return errors;
}
