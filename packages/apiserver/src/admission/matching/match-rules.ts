import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';
import type { ServedResource } from '../../registry/served-resource.js';

/** `rules` of webhooks and policies. */
export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
  readonly resourceNames?: readonly string[];
}

/** The version of the resource a rule was written for, when that is not the one of the request. */
export type Match = { readonly type: 'none' } | { readonly type: 'exact' } | { readonly type: 'equivalent'; readonly served: ServedResource };

const NONE: Match = { type: 'none' };
const EXACT: Match = { type: 'exact' };

/** Whether one of the rules speaks of the request, in its own version or, when asked for, in another that is served. */
export function matchRules(rules: readonly Rule[], matchPolicy: string | undefined, request: AdmissionRequest, registry: ResourceRegistry): Match {
  const { group, version, resource } = request.resource;
  const operational = rules.filter(
    (rule) =>
      includes(rule.operations, request.operation) &&
      resourceNameMatches(rule, request) &&
      matchesResource(rule.resources ?? [], resource, request.subresource) &&
      matchesScope(rule.scope, request),
  );
  if (operational.some((rule) => includes(rule.apiGroups, group) && includes(rule.apiVersions, version))) return EXACT;
  if (matchPolicy === 'Exact') return NONE;
  const own = registry.find(group, version, resource);
  if (!own?.storage) return NONE;
  // Other versions of the same objects, the rule's resource name with them.
  for (const other of registry.all()) {
    if (other === own || other.storage !== own.storage) continue;
    const { definition } = other;
    const named = rules.some(
      (rule) =>
        includes(rule.operations, request.operation) &&
        resourceNameMatches(rule, request) &&
        matchesResource(rule.resources ?? [], definition.resource, request.subresource) &&
        matchesScope(rule.scope, request) &&
        includes(rule.apiGroups, definition.group) &&
        includes(rule.apiVersions, definition.version),
    );
    if (named) return { type: 'equivalent', served: other };
  }
  return NONE;
}

function includes(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes('*') || values.includes(value));
}

function resourceNameMatches({ resourceNames }: Rule, { name }: AdmissionRequest): boolean {
  return !resourceNames || resourceNames.length === 0 || resourceNames.includes(name);
}

// pods, pods/status, pods/*, *, */scale, */*
function matchesResource(patterns: readonly string[], resource: string, subresource: string): boolean {
  return patterns.some((pattern) => {
    const slash = pattern.indexOf('/');
    const main = slash < 0 ? pattern : pattern.slice(0, slash);
    const sub = slash < 0 ? '' : pattern.slice(slash + 1);
    return (main === '*' || main === resource) && (sub === '*' || sub === subresource);
  });
}

function matchesScope(scope: string | undefined, { resource, namespace }: AdmissionRequest): boolean {
  if (scope === undefined || scope === '' || scope === '*') return true;
  // Namespaces are cluster-scoped, though a request for one carries its name as namespace.
  const namespaced = namespace !== '' && !(resource.group === '' && resource.resource === 'namespaces');
  return scope === 'Namespaced' ? namespaced : !namespaced;
}
