// STUB
import type { FieldError } from '../../field-error.js';
export const validatePodTemplateSpec = (..._all: unknown[]): FieldError[] => [];
