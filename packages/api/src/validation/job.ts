// STUB
import type { FieldError } from '../field-error.js';
export const validateJob = (..._all: unknown[]): FieldError[] => [];
export const validateJobUpdate = (..._all: unknown[]): FieldError[] => [];
