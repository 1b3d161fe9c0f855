// STUB
import type { FieldError } from '../field-error.js';
export const validateEndpointSlice = (..._all: unknown[]): FieldError[] => [];
export const validateEndpointSliceUpdate = (..._all: unknown[]): FieldError[] => [];
