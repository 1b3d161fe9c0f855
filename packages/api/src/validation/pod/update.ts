import type { FieldError } from '../../field-error.js';
import type { Container, Pod, PodSpec } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { forbidden, invalid } from '../errors.js';
import { validateImage } from './containers.js';
import { onlyAddsTolerations } from './scheduling.js';

const ALLOWED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

/** After creation only images, deadlines, added tolerations and lifted scheduling gates may change. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec as PodSpec;
  const before = old.spec as PodSpec;
  if ((spec.containers ?? []).length !== (before.containers ?? []).length) {
    return [forbidden('spec.containers', 'pod updates may not add or remove containers')];
  }
  if ((spec.initContainers ?? []).length !== (before.initContainers ?? []).length) {
    return [forbidden('spec.initContainers', 'pod updates may not add or remove containers')];
  }
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    (spec[list] ?? []).forEach(({ image }, index) => {
      errors.push(...validateImage(image, `spec.${list}[${index}].image`));
    });
  }
  errors.push(...validateDeadline(spec, before), ...validateGates(spec, before));
  if (!onlyAddsTolerations(spec.tolerations, before.tolerations)) {
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  const gated = (before.schedulingGates ?? []).length > 0;
  if (gated && !nodeSelectorOnlyTightened(spec, before)) {
    errors.push(invalid('spec.nodeSelector', spec.nodeSelector ?? {}, 'additions only to spec.nodeSelector'));
  }
  if (errors.length > 0) return errors;
  return deepEqual(mask(spec, before, gated), mask(before, before, gated)) ? [] : [forbidden('spec', ALLOWED)];
}

function validateDeadline({ activeDeadlineSeconds: now }: PodSpec, { activeDeadlineSeconds: before }: PodSpec): FieldError[] {
  if (now === undefined)
    return before === undefined ? [] : [invalid('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value')];
  if (before === undefined || now <= before) return [];
  return [invalid('spec.activeDeadlineSeconds', now, 'must be less than or equal to previous value')];
}

function validateGates({ schedulingGates: now = [] }: PodSpec, { schedulingGates: before = [] }: PodSpec): FieldError[] {
  const known = new Set(before.map(({ name }) => name));
  const added = now.filter(({ name }) => !known.has(name));
  if (added.length === 0) return [];
  return [forbidden('spec.schedulingGates', 'only deletion is allowed, but found new scheduling gates ' + added.map(({ name }) => `'${name}'`).join(', '))];
}

function nodeSelectorOnlyTightened({ nodeSelector: now = {} }: PodSpec, { nodeSelector: before = {} }: PodSpec): boolean {
  return Object.entries(before).every(([key, value]) => now[key] === value);
}

/** The spec without what may change. */
function mask(spec: PodSpec, old: PodSpec, gated: boolean): PodSpec {
  const { activeDeadlineSeconds: _, tolerations: _tolerations, schedulingGates: _gates, ephemeralContainers: _ephemeral, ...rest } = spec;
  const grace = spec.terminationGracePeriodSeconds === 1 && (old.terminationGracePeriodSeconds ?? 0) < 0;
  const withoutImage = (list: Container[] | undefined) => list?.map(({ image: _image, ...container }) => container as Container);
  const initContainers = withoutImage(spec.initContainers);
  return {
    ...rest,
    containers: withoutImage(spec.containers) ?? [],
    ...(initContainers && { initContainers }),
    ...(grace && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds as number }),
    ...(gated && { nodeSelector: {}, affinity: {} }),
  };
}
