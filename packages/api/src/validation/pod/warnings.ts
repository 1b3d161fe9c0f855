// STUB
import type { FieldError } from '../../field-error.js';
export const podWarnings = (..._all: unknown[]): string[] => [];
