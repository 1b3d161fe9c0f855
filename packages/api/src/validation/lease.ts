// STUB
import type { FieldError } from '../field-error.js';
export const validateLease = (..._all: unknown[]): FieldError[] => [];
