// STUB
import type { FieldError } from '../../field-error.js';
export const validatePodStatusUpdate = (..._all: unknown[]): FieldError[] => [];
