import type { FieldError } from '../../field-error.js';
import type { PodTemplateSpec } from '../../generated/types.js';
import { forbidden, required } from '../errors.js';
import { validateAnnotations, validateLabels } from '../object-meta.js';
import type { Sink } from '../sink.js';
import { addMatchingAnnotations, addPodAnnotations } from './annotations.js';
import { podOptions } from './options.js';
import { addPodSpec } from './pod-spec.js';

/** With `old`: what is stored with a fault that is found only now may keep it. */
export function validatePodTemplateSpec(template: PodTemplateSpec | undefined, field: string, old?: PodTemplateSpec): FieldError[] {
  if (!template?.spec) return [required(`${field}.spec.containers`)];
  const { metadata, spec } = template;
  const sink: Sink = [...validateLabels(metadata?.labels, `${field}.labels`), ...validateAnnotations(metadata?.annotations, `${field}.annotations`)];
  addPodAnnotations(sink, `${field}.annotations`, metadata?.annotations, spec);
  addPodSpec(sink, `${field}.spec`, spec, podOptions(false, old), { mirror: false });
  addMatchingAnnotations(sink, `${field}.spec`, metadata?.annotations, spec);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    sink.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
  return sink;
}
