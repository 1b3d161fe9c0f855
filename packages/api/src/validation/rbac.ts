// STUB
import type { FieldError } from '../field-error.js';
export const validateBinding = (..._all: unknown[]): FieldError[] => [];
export const validateBindingUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateRole = (..._all: unknown[]): FieldError[] => [];
