// STUB
import type { FieldError } from '../../field-error.js';
export const validatePodResize = (..._all: unknown[]): FieldError[] => [];
