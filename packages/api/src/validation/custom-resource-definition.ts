// STUB
import type { FieldError } from '../field-error.js';
export const validateCustomResourceDefinition = (..._all: unknown[]): FieldError[] => [];
export const validateCustomResourceDefinitionStatusUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateCustomResourceDefinitionUpdate = (..._all: unknown[]): FieldError[] => [];
