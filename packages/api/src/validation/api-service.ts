// STUB
import type { FieldError } from '../field-error.js';
export const validateAPIService = (..._all: unknown[]): FieldError[] => [];
