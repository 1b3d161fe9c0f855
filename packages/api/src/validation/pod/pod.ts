// STUB
import type { FieldError } from '../../field-error.js';
export const validatePod = (..._all: unknown[]): FieldError[] => [];
