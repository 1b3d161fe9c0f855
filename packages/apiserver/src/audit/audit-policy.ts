import type { UserInfo } from '@coxswain/sdk';
import { JSON_SCHEMA, load } from 'js-yaml';
import type { RequestInfo } from '../request/request-info.js';

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof LEVELS)[number];
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof STAGES)[number];

interface PolicyRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly { readonly group?: string; readonly resources?: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** What to record of a request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

const SILENT: AuditDecision = { level: 'None', omitStages: [], omitManagedFields: false };

/** An `audit.k8s.io/v1` Policy in YAML. Throws with what is wrong. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const policy = load(text, { schema: JSON_SCHEMA }) as (Partial<AuditPolicy> & { kind?: unknown; apiVersion?: unknown }) | null;
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1') throw new Error('not a Policy of audit.k8s.io/v1');
  const rules = policy.rules ?? [];
  if (rules.length === 0) throw new Error('the policy has no rules');
  for (const [i, { level, omitStages = [], resources, namespaces, nonResourceURLs }] of rules.entries()) {
    if (!LEVELS.includes(level)) throw new Error(`rules[${i}].level: ${JSON.stringify(level)} is not one of ${LEVELS.join(', ')}`);
    for (const stage of omitStages)
      if (!STAGES.includes(stage)) throw new Error(`rules[${i}].omitStages: ${JSON.stringify(stage)} is not one of ${STAGES.join(', ')}`);
    if (nonResourceURLs?.length && (resources?.length || namespaces?.length))
      throw new Error(`rules[${i}]: a rule is about resources or about other URLs, not both`);
  }
  return { ...policy, rules };
}

/** The first rule that matches decides. */
export function decide(policy: AuditPolicy, user: UserInfo, info: RequestInfo): AuditDecision {
  const rule = policy.rules.find((each) => matches(each, user, info));
  if (!rule) return SILENT;
  return {
    level: rule.level,
    omitStages: [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

function matches(rule: PolicyRule, user: UserInfo, info: RequestInfo): boolean {
  if (rule.users?.length && !rule.users.includes(user.name)) return false;
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (rule.verbs?.length && !rule.verbs.includes(info.verb)) return false;
  const { resource } = info;
  if (rule.namespaces?.length || rule.resources?.length) {
    if (!resource) return false;
    if (rule.namespaces?.length && !rule.namespaces.includes(resource.namespace)) return false;
    return !rule.resources?.length || rule.resources.some((each) => resourceMatches(each, resource));
  }
  if (rule.nonResourceURLs?.length) {
    return !resource && rule.nonResourceURLs.some((url) => url === '*' || url === info.path || (url.endsWith('*') && info.path.startsWith(url.slice(0, -1))));
  }
  return true;
}

function resourceMatches(
  { group = '', resources = [], resourceNames = [] }: NonNullable<PolicyRule['resources']>[number],
  target: NonNullable<RequestInfo['resource']>,
): boolean {
  if (group !== target.group) return false;
  if (resourceNames.length > 0 && !resourceNames.includes(target.name)) return false;
  if (resources.length === 0) return true;
  const whole = target.subresource === '' ? target.resource : `${target.resource}/${target.subresource}`;
  return resources.some(
    (pattern) =>
      pattern === '*' || pattern === whole || (target.subresource !== '' && (pattern === `*/${target.subresource}` || pattern === `${target.resource}/*`)),
  );
}
