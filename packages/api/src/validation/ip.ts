// STUB
import type { FieldError } from '../field-error.js';
export const isCanonicalIP = (_name: string): boolean => true;
