import type { FieldError } from '../field-error.js';
import { nonNegative } from './common.js';
import { invalid } from './errors.js';

type Counts = Readonly<Record<string, unknown>>;

const numberAt = (status: Counts | undefined, key: string): number => {
  const value = status?.[key];
  return typeof value === 'number' ? value : 0;
};

/** Counts of pods that cannot be: below none, or more than those they are among. `readyName` is how the kind calls the ready ones. */
function validateReplicas(status: Counts | undefined, among: readonly string[], others: readonly string[], readyName: string): FieldError[] {
  const replicas = numberAt(status, 'replicas');
  const errors = ['replicas', ...among, ...others].flatMap((key) => nonNegative(numberAt(status, key), `status.${key}`));
  for (const key of among) {
    if (numberAt(status, key) > replicas) errors.push(invalid(`status.${key}`, numberAt(status, key), 'cannot be greater than status.replicas'));
  }
  const available = numberAt(status, 'availableReplicas');
  if (available > numberAt(status, 'readyReplicas')) errors.push(invalid('status.availableReplicas', available, `cannot be greater than ${readyName}`));
  return errors;
}

/** How often names collided is only counted up. */
function validateCollisions(status: Counts | undefined, old: Counts | undefined): FieldError[] {
  const count = status?.['collisionCount'] as number | undefined;
  const before = old?.['collisionCount'];
  const errors = nonNegative(count, 'status.collisionCount');
  if (before === undefined || numberAt(status, 'collisionCount') >= numberAt(old, 'collisionCount')) return errors;
  return [...errors, invalid('status.collisionCount', numberAt(status, 'collisionCount'), 'cannot be decremented')];
}

interface Workload {
  readonly metadata: object;
  readonly status?: object;
}

const statusOf = ({ status }: Workload) => status as Counts | undefined;

export const validateDeploymentStatus = (object: Workload, old: Workload): FieldError[] => [
  ...validateReplicas(
    statusOf(object),
    ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
    ['unavailableReplicas', 'terminatingReplicas', 'observedGeneration'],
    'readyReplicas',
  ),
  ...validateCollisions(statusOf(object), statusOf(old)),
];

/** Of ReplicaSets and ReplicationControllers. */
export const validateReplicaSetStatus = (object: Workload): FieldError[] =>
  validateReplicas(
    statusOf(object),
    ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
    ['terminatingReplicas', 'observedGeneration'],
    'readyReplicas',
  );

export const validateStatefulSetStatus = (object: Workload, old: Workload): FieldError[] => [
  ...validateReplicas(
    statusOf(object),
    ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
    ['observedGeneration'],
    'status.readyReplicas',
  ),
  ...validateCollisions(statusOf(object), statusOf(old)),
];

const DAEMONS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
];

export const validateDaemonSetStatus = (object: Workload, old: Workload): FieldError[] => [
  ...DAEMONS.flatMap((key) => nonNegative(numberAt(statusOf(object), key), `status.${key}`)),
  ...validateCollisions(statusOf(object), statusOf(old)),
];
