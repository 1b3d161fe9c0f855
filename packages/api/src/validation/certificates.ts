// STUB
import type { FieldError } from '../field-error.js';
export const validateApprovalUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateCSR = (..._all: unknown[]): FieldError[] => [];
export const validateCSRStatusUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateCSRUpdate = (..._all: unknown[]): FieldError[] => [];
