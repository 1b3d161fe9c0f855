// STUB
import type { FieldError } from '../field-error.js';
export const validateFlowSchema = (..._all: unknown[]): FieldError[] => [];
export const validatePriorityLevel = (..._all: unknown[]): FieldError[] => [];
