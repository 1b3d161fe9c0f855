// STUB
import type { FieldError } from '../field-error.js';
export const validateEvent = (..._all: unknown[]): FieldError[] => [];
export const validateEventUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateEventsV1Create = (..._all: unknown[]): FieldError[] => [];
