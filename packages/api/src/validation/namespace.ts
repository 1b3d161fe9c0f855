// STUB
import type { FieldError } from '../field-error.js';
export const validateNamespace = (..._all: unknown[]): FieldError[] => [];
export const validateNamespaceStatusUpdate = (..._all: unknown[]): FieldError[] => [];
