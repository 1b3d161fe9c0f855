// STUB
import type { FieldError } from '../field-error.js';
export const validateVolumeObject = (..._all: unknown[]): FieldError[] => [];
export const validateVolumeObjectUpdate = (..._all: unknown[]): FieldError[] => [];
