// STUB
import type { FieldError } from '../field-error.js';
export const validateIngress = (..._all: unknown[]): FieldError[] => [];
export const validateIngressClass = (..._all: unknown[]): FieldError[] => [];
export const validateIngressClassUpdate = (..._all: unknown[]): FieldError[] => [];
