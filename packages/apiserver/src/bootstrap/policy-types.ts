import type { PolicyRule } from '../rbac/rules.js';

export interface BootstrapRole {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
  /** Labels of the roles whose rules it takes over. */
  readonly aggregates?: readonly Readonly<Record<string, string>>[];
}

export interface BootstrapSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

export interface BootstrapBinding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly BootstrapSubject[];
  /** Set for a RoleBinding. */
  readonly namespace?: string;
  readonly roleKind?: 'Role' | 'ClusterRole';
}

/** Words separated by spaces; `core` stands for the group without a name. */
const words = (text: string): string[] => text.split(' ').map((word) => (word === 'core' ? '' : word));

/** A resource rule in one line: `rule('get list watch', 'core', 'pods services')`. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return { verbs: words(verbs), apiGroups: words(groups), resources: words(resources), ...(names ? { resourceNames: words(names) } : {}) };
}

export function paths(verbs: string, urls: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(urls) };
}

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
/** Every controller may write events. */
export const EVENTS = rule('create patch update', 'core events.k8s.io', 'events');
