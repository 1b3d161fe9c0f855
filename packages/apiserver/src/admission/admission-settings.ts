import type { EventLimit } from './extra/event-rate-limit.js';
import type { PodNodeSelectorSettings } from './extra/pod-node-selector.js';
import type { PodSecuritySettings } from './pod-security/settings.js';
import type { LimitedResource } from './quota/limited-resources.js';

/** What can be set of the built-in admission plugins. */
export interface AdmissionSettings {
  readonly podSecurity?: PodSecuritySettings;
  readonly eventLimits?: readonly EventLimit[];
  readonly podNodeSelector?: PodNodeSelectorSettings;
  readonly limitedResources?: readonly LimitedResource[];
  /** How long pods stay on a node that is not ready, or gone. Default 300 and 300. */
  readonly tolerationSeconds?: { readonly notReady: number; readonly unreachable: number };
  /** Default true. */
  readonly allowPrivileged?: boolean;
}
