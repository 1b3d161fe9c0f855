import type { LabelSelector } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import type { AdmissionRequest } from '@coxswain/sdk';
import type { ResourceRegistry } from '../../registry/resource-registry.js';
import { matchRules } from '../matching/match-rules.js';
import type { Match, Rule } from '../matching/match-rules.js';
import { matchesNamespace, matchesObject } from '../matching/match-selectors.js';

export interface MatchResources {
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

/** Whether a policy's constraints, or a binding's further ones, take in the request. A binding without rules leaves them to the policy. */
export function matchResources(constraints: MatchResources | undefined, request: AdmissionRequest, registry: ResourceRegistry, isBinding: boolean): Match {
  if (!constraints) return isBinding ? { type: 'exact' } : { type: 'none' };
  try {
    if (!matchesNamespace(constraints.namespaceSelector, request, registry)) return { type: 'none' };
  } catch (error) {
    if (isNotFound(error) && request.operation === 'DELETE') return { type: 'none' };
    throw error;
  }
  if (!matchesObject(constraints.objectSelector, request)) return { type: 'none' };
  if (constraints.excludeResourceRules?.length && matchRules(constraints.excludeResourceRules, constraints.matchPolicy, request, registry).type !== 'none')
    return { type: 'none' };
  if (isBinding && !constraints.resourceRules?.length) return { type: 'exact' };
  return matchRules(constraints.resourceRules ?? [], constraints.matchPolicy, request, registry);
}
