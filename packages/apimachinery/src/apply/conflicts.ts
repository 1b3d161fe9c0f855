import { ApiError } from '../status/api-error.js';
import { formatPath, pathsOf, type Fields } from './fields.js';
import type { Managed } from './managers.js';

/** What another manager owns and the applied configuration would change. */
export interface Conflict {
  readonly owner: Managed;
  readonly fields: Fields;
}

/** `"kubectl" with subresource "status" using apps/v1`. */
function describe({ manager, operation, apiVersion, subresource }: Managed): string {
  const who = subresource === '' ? JSON.stringify(manager) : `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${who} using ${apiVersion}` : who;
}

/** The 409 kubectl knows how to print: one cause per field. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const sorted = [...conflicts].sort((a, b) => (a.owner.manager < b.owner.manager ? -1 : a.owner.manager > b.owner.manager ? 1 : 0));
  const all = sorted.map(({ owner, fields }) => ({ owner: describe(owner), paths: [...pathsOf(fields)].map(formatPath) }));
  const causes = all.flatMap(({ owner, paths }) => paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field })));
  const [first] = causes;
  if (first && causes.length === 1) return ApiError.applyConflict(causes, `Apply failed with 1 conflict: ${first.message}: ${first.field}`);
  const lines = all.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((p) => `- ${p}`)]);
  return ApiError.applyConflict(causes, `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`);
}
