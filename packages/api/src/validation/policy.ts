// STUB
import type { FieldError } from '../field-error.js';
export const validatePodDisruptionBudget = (..._all: unknown[]): FieldError[] => [];
