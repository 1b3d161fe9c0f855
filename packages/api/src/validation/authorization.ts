// STUB
import type { FieldError } from '../field-error.js';
export const validateLocalSubjectAccessReview = (..._all: unknown[]): FieldError[] => [];
export const validateSelfSubjectAccessReview = (..._all: unknown[]): FieldError[] => [];
export const validateSubjectAccessReview = (..._all: unknown[]): FieldError[] => [];
