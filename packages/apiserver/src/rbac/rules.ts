import type { AuthorizationAttributes } from '@coxswain/sdk';

/** rbac.authorization.k8s.io PolicyRule. */
export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const hasOrAll = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list.includes('*') || list.includes(value));

/** Does the rule allow it? */
export function ruleAllows(rule: PolicyRule, { verb, target }: Pick<AuthorizationAttributes, 'verb' | 'target'>): boolean {
  if (!hasOrAll(rule.verbs, verb)) return false;
  if (target.type === 'path') return rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, target.path)) === true;
  if (!hasOrAll(rule.apiGroups, target.group)) return false;
  if (!resourceMatches(rule.resources, target.resource, target.subresource)) return false;
  return rule.resourceNames === undefined || rule.resourceNames.length === 0 || (target.name !== undefined && rule.resourceNames.includes(target.name));
}

export function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

function resourceMatches(resources: readonly string[] | undefined, resource: string, subresource: string | undefined): boolean {
  if (!resources) return false;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  for (const candidate of resources) {
    if (candidate === '*' || candidate === combined) return true;
    if (subresource && candidate.length === subresource.length + 2 && candidate.startsWith('*/') && candidate.endsWith(subresource)) return true;
  }
  return false;
}

/** Rules split until each is about one verb, group, resource and name: what escalation is checked on. */
export function* breakDown(rule: PolicyRule): IterableIterator<Pick<AuthorizationAttributes, 'verb' | 'target'>> {
  for (const verb of rule.verbs ?? []) {
    for (const path of rule.nonResourceURLs ?? []) yield { verb, target: { type: 'path', path } };
    for (const group of rule.apiGroups ?? []) {
      for (const full of rule.resources ?? []) {
        const slash = full.indexOf('/');
        const resource = slash < 0 ? full : full.slice(0, slash);
        const sub = slash < 0 ? undefined : full.slice(slash + 1);
        const names = rule.resourceNames?.length ? rule.resourceNames : [undefined];
        for (const name of names) {
          yield {
            verb,
            target: {
              type: 'resource',
              group,
              version: '*',
              resource,
              ...(sub === undefined ? {} : { subresource: sub }),
              ...(name === undefined ? {} : { name }),
            },
          };
        }
      }
    }
  }
}

/** One rule in upstream's short form for messages. */
export function describeRule(rule: PolicyRule): string {
  const part = (name: string, list: readonly string[] | undefined) => (list?.length ? `${name}:[${list.map((v) => JSON.stringify(v)).join(' ')}]` : '');
  const parts = [
    part('APIGroups', rule.apiGroups),
    part('Resources', rule.resources),
    part('ResourceNames', rule.resourceNames),
    part('NonResourceURLs', rule.nonResourceURLs),
    part('Verbs', rule.verbs),
  ];
  return `{${parts.filter((text) => text !== '').join(', ')}}`;
}
