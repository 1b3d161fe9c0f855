// STUB
import type { FieldError } from '../field-error.js';
export const validateNetworkPolicy = (..._all: unknown[]): FieldError[] => [];
