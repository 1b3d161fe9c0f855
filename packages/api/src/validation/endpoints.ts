// STUB
import type { FieldError } from '../field-error.js';
export const validateEndpoints = (..._all: unknown[]): FieldError[] => [];
export const validateEndpointsUpdate = (..._all: unknown[]): FieldError[] => [];
