// STUB
import type { FieldError } from '../field-error.js';
export const validateIPAddress = (..._all: unknown[]): FieldError[] => [];
export const validateIPAddressUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateServiceCIDR = (..._all: unknown[]): FieldError[] => [];
export const validateServiceCIDRUpdate = (..._all: unknown[]): FieldError[] => [];
