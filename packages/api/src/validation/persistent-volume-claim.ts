// STUB
import type { FieldError } from '../field-error.js';
export const validateClaim = (..._all: unknown[]): FieldError[] => [];
export const validateClaimUpdate = (..._all: unknown[]): FieldError[] => [];
