import type { FieldError } from '../field-error.js';
import { invalid, invalids } from './errors.js';
import { isQualifiedName } from './names.js';

const STANDARD = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Of Kubernetes' own kinds only the standard finalizers go without a domain. */
export const validateKubeFinalizer = (name: string, field: string): FieldError[] =>
  name.includes('/') || STANDARD.has(name) ? [] : [invalid(field, name, 'name is neither a standard finalizer name nor is it fully qualified')];

export const validateFinalizer = (name: string, field: string): FieldError[] => [
  ...invalids(field, name, isQualifiedName(name)),
  ...validateKubeFinalizer(name, field),
];
