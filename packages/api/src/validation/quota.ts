import type { FieldError } from '../field-error.js';
import type { ResourceQuota, ResourceQuotaSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { invalid, required } from './errors.js';
import { IMMUTABLE } from './object-meta.js';
import { addQuantity, addQuotaResourceName, isQuotaResource } from './resource-names.js';
import type { Sink } from './sink.js';

const SCOPES = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass'];
const EXISTING_ONLY = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'Terminating'];
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** Scopes choose pods, of best effort by their number alone, or claims of volumes. */
function scopeCovers(scope: string, name: string): boolean {
  if (!SCOPES.includes(scope)) return true;
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
  if (scope === 'BestEffort') return name === 'pods';
  return name === 'pods' || /^((requests|limits)\.)?(cpu|memory)$/.test(name);
}

function addAmounts(sink: Sink, field: string, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const name in amounts) {
    addQuotaResourceName(sink, `${field}[${name}]`, name);
    addQuantity(sink, `${field}[${name}]`, name, amounts[name] as string);
  }
}

export function validateResourceQuotaStatus({ status }: ResourceQuota): FieldError[] {
  const sink: Sink = [];
  addAmounts(sink, 'status.hard', status?.hard);
  addAmounts(sink, 'status.used', status?.used);
  return sink;
}

export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  const sink: Sink = [];
  if (!spec) return sink;
  addAmounts(sink, 'spec.hard', spec.hard);
  const counted = Object.keys(spec.hard ?? {}).filter(isQuotaResource);
  for (const scope of spec.scopes ?? []) {
    if (!SCOPES.includes(scope)) sink.push(invalid('spec.scopes', spec.scopes, 'unsupported scope'));
    for (const name of counted) {
      if (!scopeCovers(scope, name)) sink.push(invalid('spec.scopes', spec.scopes, 'unsupported scope applied to resource'));
    }
  }
  addConflicts(sink, 'spec.scopes', spec.scopes ?? [], spec);
  addScopeSelector(sink, 'spec.scopeSelector.matchExpressions', spec, counted);
  return sink;
}

function addConflicts(sink: Sink, field: string, scopes: readonly string[], { scopes: shown }: ResourceQuotaSpec): void {
  for (const [a, b] of CONFLICTS) if (scopes.includes(a) && scopes.includes(b)) sink.push(invalid(field, shown ?? null, 'conflicting scopes'));
}

/** Upstream names the list, not the requirement. */
function addScopeSelector(sink: Sink, field: string, spec: ResourceQuotaSpec, counted: readonly string[]): void {
  const { scopeSelector } = spec;
  if (!scopeSelector) return;
  const requirements = scopeSelector.matchExpressions ?? [];
  for (const { scopeName = '', operator = '', values = [] } of requirements) {
    if (!SCOPES.includes(scopeName)) sink.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
    for (const name of counted) if (!scopeCovers(scopeName, name)) sink.push(invalid(field, scopeSelector, 'unsupported scope applied to resource'));
    if (operator !== 'Exists' && EXISTING_ONLY.includes(scopeName)) {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      sink.push(invalid(`${field}.operator`, operator, detail));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) sink.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        sink.push(invalid(`${field}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
      }
    } else sink.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  addConflicts(sink, field, names, spec);
}

export function validateResourceQuotaUpdate({ spec }: ResourceQuota, { spec: old }: ResourceQuota): FieldError[] {
  const scopes = ({ scopes: list = [] }: ResourceQuotaSpec = {}) => [...new Set(list)].sort();
  return deepEqual(scopes(spec), scopes(old)) ? [] : [invalid('spec.scopes', spec?.scopes ?? null, IMMUTABLE)];
}
