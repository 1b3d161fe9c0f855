import type { UserInfo } from '@coxswain/sdk';
import type { RequestInfo } from '../request/request-info.js';

interface Subject {
  readonly kind: string;
  readonly user?: { readonly name: string };
  readonly group?: { readonly name: string };
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[] | null;
}

interface PathRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export interface FlowRule {
  readonly subjects?: readonly Subject[];
  readonly resourceRules?: readonly ResourceRule[];
  readonly nonResourceRules?: readonly PathRule[];
}

/** True when a request of this user falls under the rule of a FlowSchema. */
export function ruleMatches(rule: FlowRule, user: UserInfo, info: RequestInfo): boolean {
  if (!rule.subjects?.some((subject) => subjectMatches(subject, user))) return false;
  if (info.resource) return rule.resourceRules?.some((each) => resourceMatches(each, info)) ?? false;
  return rule.nonResourceRules?.some((each) => has(each.verbs, info.verb) && each.nonResourceURLs.some((url) => pathMatches(url, info.path))) ?? false;
}

const has = (list: readonly string[] | null | undefined, value: string): boolean => list?.some((each) => each === '*' || each === value) ?? false;

function subjectMatches({ kind, user: byName, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return byName !== undefined && (byName.name === '*' || byName.name === user.name);
    case 'Group':
      return group !== undefined && (group.name === '*' || user.groups.includes(group.name));
    case 'ServiceAccount': {
      if (!serviceAccount) return false;
      const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
      return serviceAccount.name === '*' ? user.name.startsWith(prefix) : user.name === prefix + serviceAccount.name;
    }
    default:
      return false;
  }
}

function resourceMatches(rule: ResourceRule, { verb, resource }: RequestInfo): boolean {
  if (!resource) return false;
  const name = resource.subresource === '' ? resource.resource : `${resource.resource}/${resource.subresource}`;
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, resource.group) || !has(rule.resources, name)) return false;
  return resource.namespace === '' ? rule.clusterScope === true : has(rule.namespaces, resource.namespace);
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1)));
}
