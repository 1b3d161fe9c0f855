import type { FieldError } from '../field-error.js';
import type { PriorityClass, RuntimeClass } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, requiredEnum, requiredText } from './common.js';
import { duplicate, forbidden } from './errors.js';
import { isDNS1123Label } from './names.js';
import { immutable, validateLabels } from './object-meta.js';
import { validateResources } from './pod/resources.js';
import { validateTolerations } from './pod/scheduling.js';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

/** A new class: what is wrong with it, once it exists, is never looked at again. */
export function validatePriorityClass({ metadata, value = 0, globalDefault = false, preemptionPolicy = '' }: PriorityClass): FieldError[] {
  const name = metadata.name ?? '';
  const errors: FieldError[] = [];
  if (name.startsWith('system-')) {
    const wrong = systemProblem(name, value, globalDefault);
    const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    if (wrong) errors.push(forbidden('metadata.name', reserved + wrong));
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`));
  }
  return [...errors, ...requiredEnum(preemptionPolicy, 'preemptionPolicy', ['PreemptLowerPriority', 'Never'])];
}

function systemProblem(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = SYSTEM[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export function validatePriorityClassUpdate(object: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) errors.push(forbidden('value', 'may not be changed in an update.'));
  return [...errors, ...immutable(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
}

export const validateRuntimeClass = ({ handler, overhead, scheduling }: RuntimeClass): FieldError[] => [
  ...requiredText(handler, 'handler', isDNS1123Label),
  // What a sandbox takes is checked as the limits of a container are, and called so.
  ...validateResources(overhead?.podFixed && { limits: overhead.podFixed }, 'overhead', new Set()),
  ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
  ...validateTolerations(scheduling?.tolerations, 'scheduling.tolerations'),
  ...each(scheduling?.tolerations, 'scheduling.tolerations', (toleration, path, index) =>
    (scheduling?.tolerations ?? []).slice(0, index).some((other) => deepEqual(other, toleration)) ? [duplicate(path, toleration)] : [],
  ),
];

export const validateRuntimeClassUpdate = (object: RuntimeClass, old: RuntimeClass): FieldError[] => immutable(object.handler, old.handler, 'handler');
