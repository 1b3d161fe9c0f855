// STUB
import type { FieldError } from '../field-error.js';
export const validateCSIDriver = (..._all: unknown[]): FieldError[] => [];
export const validateCSIDriverUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateCSINode = (..._all: unknown[]): FieldError[] => [];
export const validateCSINodeUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateCSIStorageCapacity = (..._all: unknown[]): FieldError[] => [];
export const validateCSIStorageCapacityUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateStorageClass = (..._all: unknown[]): FieldError[] => [];
export const validateStorageClassUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateVolumeAttachment = (..._all: unknown[]): FieldError[] => [];
export const validateVolumeAttachmentUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateVolumeAttributesClass = (..._all: unknown[]): FieldError[] => [];
export const validateVolumeAttributesClassUpdate = (..._all: unknown[]): FieldError[] => [];
