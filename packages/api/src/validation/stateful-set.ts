// STUB
import type { FieldError } from '../field-error.js';
export const validateStatefulSet = (..._all: unknown[]): FieldError[] => [];
export const validateStatefulSetUpdate = (..._all: unknown[]): FieldError[] => [];
