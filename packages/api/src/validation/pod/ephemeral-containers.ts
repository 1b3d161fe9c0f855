// STUB
import type { FieldError } from '../../field-error.js';
export const validateEphemeralContainersUpdate = (..._all: unknown[]): FieldError[] => [];
