// STUB
import type { FieldError } from '../../field-error.js';
export const validatePodUpdate = (..._all: unknown[]): FieldError[] => [];
