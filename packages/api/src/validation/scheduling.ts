import type { FieldError } from '../field-error.js';
import type { PriorityClass, RuntimeClass } from '../generated/types.js';
import { nonNegativeQuantity, optionalEnum, requiredText } from './common.js';
import { forbidden } from './errors.js';
import { isDNS1123Label } from './names.js';
import { immutable, validateLabels } from './object-meta.js';
import { validateTolerations } from './pod/scheduling.js';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

export function validatePriorityClass({ metadata, value = 0, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = metadata.name ?? '';
  if (name.startsWith('system-')) {
    if (SYSTEM[name] !== value) {
      errors.push(
        forbidden(
          'metadata.name',
          "priority class names with 'system-' prefix are reserved for system use only. error: " + `${name} is not a known system priority class`,
        ),
      );
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`));
  }
  return [...errors, ...optionalEnum(preemptionPolicy, 'preemptionPolicy', ['Never', 'PreemptLowerPriority'])];
}

export function validatePriorityClassUpdate(object: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) errors.push(forbidden('value', 'may not be changed in an update.'));
  return [...errors, ...immutable(object.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy')];
}

export const validateRuntimeClass = ({ handler, overhead, scheduling }: RuntimeClass): FieldError[] => [
  ...requiredText(handler, 'handler', isDNS1123Label),
  ...Object.entries(overhead?.podFixed ?? {}).flatMap(([name, quantity]) => nonNegativeQuantity(quantity, `overhead.podFixed[${name}]`)),
  ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
  ...validateTolerations(scheduling?.tolerations, 'scheduling.tolerations'),
];

export const validateRuntimeClassUpdate = (object: RuntimeClass, old: RuntimeClass): FieldError[] => immutable(object.handler, old.handler, 'handler');
