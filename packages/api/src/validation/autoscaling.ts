// STUB
import type { FieldError } from '../field-error.js';
export const validateHorizontalPodAutoscaler = (..._all: unknown[]): FieldError[] => [];
