// STUB
import type { FieldError } from '../field-error.js';
export const validateDeviceClass = (..._all: unknown[]): FieldError[] => [];
export const validateResourceClaim = (..._all: unknown[]): FieldError[] => [];
export const validateResourceClaimTemplate = (..._all: unknown[]): FieldError[] => [];
export const validateResourceSlice = (..._all: unknown[]): FieldError[] => [];
