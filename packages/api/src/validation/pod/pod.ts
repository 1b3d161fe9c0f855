import type { FieldError } from '../../field-error.js';
import type { Pod } from '../../generated/types.js';
import { forbidden, required } from '../errors.js';
import type { Sink } from '../sink.js';
import { addMatchingAnnotations, addPodAnnotations } from './annotations.js';
import { isMirror } from './mirror.js';
import { podOptions } from './options.js';
import { addPodSpec } from './pod-spec.js';

/** With `old`: what is stored with a fault that is found only now may keep it. */
export function validatePod(pod: Pod, old?: Pod): FieldError[] {
  const { spec, metadata } = pod;
  if (!spec) return [required('spec.containers')];
  const sink: Sink = [];
  addPodAnnotations(sink, 'metadata.annotations', metadata.annotations, spec);
  addPodSpec(sink, 'spec', spec, podOptions(true, old), { ...(metadata.name && { name: metadata.name }), mirror: isMirror(pod) });
  if (!spec.serviceAccountName) addNoTokens(sink, pod);
  if (!old) addNew(sink, pod);
  return sink;
}

/** A token is some account's. */
function addNoTokens(sink: Sink, { spec }: Pod): void {
  for (const [index, { projected }] of (spec?.volumes ?? []).entries()) {
    for (const [which, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (!serviceAccountToken) continue;
      const at = `spec.volumes[${index}].projected.sources[${which}].serviceAccountToken`;
      sink.push(forbidden(at, 'must not be specified when serviceAccountName is not set'));
    }
  }
}

function addNew(sink: Sink, { spec, metadata }: Pod): void {
  if (!spec) return;
  if ((spec.ephemeralContainers ?? []).length > 0) sink.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    sink.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  addMatchingAnnotations(sink, 'spec', metadata.annotations, spec);
}
