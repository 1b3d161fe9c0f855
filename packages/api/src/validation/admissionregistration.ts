// STUB
import type { FieldError } from '../field-error.js';
export const validateAdmissionPolicy = (..._all: unknown[]): FieldError[] => [];
export const validateAdmissionPolicyBinding = (..._all: unknown[]): FieldError[] => [];
export const validateWebhookConfiguration = (..._all: unknown[]): FieldError[] => [];
