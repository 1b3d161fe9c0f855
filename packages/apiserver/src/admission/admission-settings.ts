import type { PodSecuritySettings } from './pod-security/settings.js';

/** What can be set of the built-in admission plugins. */
export interface AdmissionSettings {
  readonly podSecurity?: PodSecuritySettings;
  /** How long pods stay on a node that is not ready, or gone. Default 300 and 300. */
  readonly tolerationSeconds?: { readonly notReady: number; readonly unreachable: number };
  /** Default true. */
  readonly allowPrivileged?: boolean;
}
