import type { KubeObject } from '@coxswain/api';
import { sign } from './amounts.js';
import type { PodSpec } from './pod-usage.js';

interface Requirement {
  readonly scopeName: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

/** True when the quota is about this object. Only pods have scopes, and claims the one of their attributes class. */
export function inScopes(quota: KubeObject, object: KubeObject, resource: string): boolean {
  const { scopes = [], scopeSelector } = (quota.spec ?? {}) as { scopes?: string[]; scopeSelector?: { matchExpressions?: Requirement[] } };
  const all: Requirement[] = [...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })), ...(scopeSelector?.matchExpressions ?? [])];
  return all.every((requirement) => inScope(requirement, object, resource));
}

function inScope({ scopeName, operator = 'Exists', values = [] }: Requirement, object: KubeObject, resource: string): boolean {
  if (resource === 'persistentvolumeclaims') {
    return scopeName === 'VolumeAttributesClass' && named((object.spec?.volumeAttributesClassName ?? '') as string, operator, values);
  }
  if (resource !== 'pods') return false;
  const spec = (object.spec ?? {}) as PodSpec;
  switch (scopeName) {
    case 'Terminating':
      return typeof spec.activeDeadlineSeconds === 'number';
    case 'NotTerminating':
      return typeof spec.activeDeadlineSeconds !== 'number';
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    case 'PriorityClass':
      return named(spec.priorityClassName ?? '', operator, values);
    case 'CrossNamespacePodAffinity':
      return reachesOut(spec);
    default:
      return false;
  }
}

function named(name: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'Exists':
      return name !== '';
    case 'DoesNotExist':
      return name === '';
    case 'In':
      return values.includes(name);
    default:
      return !values.includes(name);
  }
}

function isBestEffort(spec: PodSpec): boolean {
  return [{ resources: spec.resources }, ...(spec.containers ?? []), ...(spec.initContainers ?? [])].every(({ resources }) =>
    [...Object.entries(resources?.requests ?? {}), ...Object.entries(resources?.limits ?? {})].every(
      ([name, amount]) => (name !== 'cpu' && name !== 'memory') || sign(amount) === 0,
    ),
  );
}

/** Affinity terms that look into other namespaces. */
function reachesOut({ affinity }: PodSpec): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => (weighted as { podAffinityTerm?: unknown }).podAffinityTerm),
  ]) as { namespaces?: string[]; namespaceSelector?: object }[];
  return terms.some((term) => (term?.namespaces?.length ?? 0) > 0 || term?.namespaceSelector !== undefined);
}
