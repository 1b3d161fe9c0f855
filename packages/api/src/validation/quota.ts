// STUB
import type { FieldError } from '../field-error.js';
export const validateLimitRange = (..._all: unknown[]): FieldError[] => [];
export const validateResourceQuota = (..._all: unknown[]): FieldError[] => [];
export const validateResourceQuotaUpdate = (..._all: unknown[]): FieldError[] => [];
