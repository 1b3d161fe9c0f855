// STUB
import type { FieldError } from '../field-error.js';
export const validateService = (..._all: unknown[]): FieldError[] => [];
export const validateServiceUpdate = (..._all: unknown[]): FieldError[] => [];
