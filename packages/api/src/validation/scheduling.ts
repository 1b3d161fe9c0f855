// STUB
import type { FieldError } from '../field-error.js';
export const validatePriorityClass = (..._all: unknown[]): FieldError[] => [];
export const validatePriorityClassUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateRuntimeClass = (..._all: unknown[]): FieldError[] => [];
export const validateRuntimeClassUpdate = (..._all: unknown[]): FieldError[] => [];
