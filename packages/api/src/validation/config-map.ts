// STUB
import type { FieldError } from '../field-error.js';
export const validateConfigMap = (..._all: unknown[]): FieldError[] => [];
export const validateConfigMapUpdate = (..._all: unknown[]): FieldError[] => [];
