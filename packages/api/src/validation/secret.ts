// STUB
import type { FieldError } from '../field-error.js';
export const validateSecret = (..._all: unknown[]): FieldError[] => [];
export const validateSecretUpdate = (..._all: unknown[]): FieldError[] => [];
