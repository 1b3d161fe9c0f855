// STUB
import type { FieldError } from '../field-error.js';
export const validateCronJob = (..._all: unknown[]): FieldError[] => [];
export const validateCronJobUpdate = (..._all: unknown[]): FieldError[] => [];
