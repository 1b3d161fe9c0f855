// STUB
import type { FieldError } from '../field-error.js';
export const validateNode = (..._all: unknown[]): FieldError[] => [];
export const validateNodeUpdate = (..._all: unknown[]): FieldError[] => [];
