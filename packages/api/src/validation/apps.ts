// STUB
import type { FieldError } from '../field-error.js';
export const validateControllerRevision = (..._all: unknown[]): FieldError[] => [];
export const validateControllerRevisionUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateDaemonSet = (..._all: unknown[]): FieldError[] => [];
export const validateDaemonSetUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateDeployment = (..._all: unknown[]): FieldError[] => [];
export const validateDeploymentUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateReplicaSet = (..._all: unknown[]): FieldError[] => [];
export const validateReplicaSetUpdate = (..._all: unknown[]): FieldError[] => [];
export const validateReplicationController = (..._all: unknown[]): FieldError[] => [];
