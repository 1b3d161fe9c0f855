import type { KubeObject } from '@coxswain/api';
import type { AdmissionRequest } from '@coxswain/sdk';
import { refuse } from '../admission-env.js';
import { sign } from './amounts.js';
import type { Amounts } from './amounts.js';
import { inScopes } from './scopes.js';

interface Scope {
  readonly scopeName: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

/** What nobody may take without a quota that allows it. */
export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource: string;
  /** Parts of the names quotas know amounts by. */
  readonly matchContains?: readonly string[];
  /** Kinds of objects. */
  readonly matchScopes?: readonly Scope[];
}

const KINDS: Readonly<Record<string, string>> = {
  'apiserver.config.k8s.io/v1': 'ResourceQuotaConfiguration',
  'resourcequota.admission.k8s.io/v1beta1': 'Configuration',
  'resourcequota.admission.k8s.io/v1alpha1': 'Configuration',
};

/** A ResourceQuotaConfiguration. Throws with what is wrong. */
export function parseLimitedResources(config: Readonly<Record<string, unknown>>): readonly LimitedResource[] {
  if (KINDS[String(config.apiVersion)] !== config.kind) throw new Error('not a ResourceQuotaConfiguration of apiserver.config.k8s.io/v1');
  const limited = (config.limitedResources ?? []) as readonly Partial<LimitedResource>[];
  return limited.map((each, i) => {
    if (!each.resource) throw new Error(`limitedResources[${i}].resource: Required value`);
    for (const [n, { scopeName }] of (each.matchScopes ?? []).entries())
      if (!scopeName) throw new Error(`limitedResources[${i}].matchScopes[${n}].scopeName: Required value`);
    return { ...each, resource: each.resource };
  });
}

/** Refuses what is limited and not covered by one of the quotas that are about this object. */
export function checkCovered(
  request: AdmissionRequest,
  limited: readonly LimitedResource[],
  object: KubeObject,
  usage: Amounts,
  quotas: readonly KubeObject[],
): void {
  const { group, resource } = request.resource;
  const concerned = limited.filter((each) => (each.apiGroup ?? '') === group && each.resource === resource);
  if (concerned.length === 0) return;
  const covered = new Set(quotas.flatMap(({ status }) => Object.keys((status?.hard ?? {}) as Amounts)));
  const taken = Object.keys(usage).filter((name) => sign(usage[name] as string) > 0);
  const uncovered = taken.filter((name) => !covered.has(name) && concerned.some(({ matchContains = [] }) => matchContains.some((part) => name.includes(part))));
  if (uncovered.length > 0) refuse(request, `insufficient quota to consume: ${uncovered.sort().join(',')}`);
  const kind = group === '' ? resource : '';
  const wanted = concerned.flatMap(({ matchScopes = [] }) => matchScopes).filter((scope) => inScopes(selecting(scope), object, kind));
  const missing = wanted.filter(({ scopeName }) => !quotas.some(({ spec }) => namesOf(spec).includes(scopeName)));
  if (missing.length > 0)
    refuse(
      request,
      `insufficient quota to match these scopes: ${missing.map(({ scopeName, operator, values }) => `{${scopeName} ${operator ?? 'Exists'} [${(values ?? []).join(' ')}]}`).join(', ')}`,
    );
}

const selecting = (scope: Scope): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: {},
  spec: { scopeSelector: { matchExpressions: [scope] } },
});

function namesOf(spec: KubeObject['spec']): string[] {
  const expressions = (spec?.scopeSelector?.matchExpressions ?? []) as Scope[];
  return [...((spec?.scopes ?? []) as string[]), ...expressions.map(({ scopeName }) => scopeName)];
}
