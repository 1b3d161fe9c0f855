import { ApiError } from '@coxswain/apimachinery';
import type { RequestContext } from '../request/request-context.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

const MAX_MANAGER = 128;

export function parseWriteOptions(context: RequestContext): WriteOptions {
  const { query } = context;
  const fieldManager = query.get('fieldManager') ?? '';
  if (fieldManager.length > MAX_MANAGER) {
    const message = `Too long: may not be more than ${MAX_MANAGER} bytes`;
    throw ApiError.invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [{ type: 'FieldValueTooLong', field: 'fieldManager', message }]);
  }
  return {
    dryRun: parseDryRun(query.getAll('dryRun')),
    fieldManager: fieldManager === '' ? managerOf(context.userAgent) : fieldManager,
    fieldValidation: parseFieldValidation(query.get('fieldValidation')),
    force: query.get('force') === 'true',
  };
}

export function parseDryRun(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== '');
  for (const value of given) {
    if (value === 'All') continue;
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "All"`;
    throw ApiError.invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [{ type: 'FieldValueNotSupported', field: 'dryRun', message }]);
  }
  return given.length > 0;
}

function parseFieldValidation(value: string | null): FieldValidation {
  if (value === null || value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`;
  throw ApiError.invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [{ type: 'FieldValueNotSupported', field: 'fieldValidation', message }]);
}

/** Without a field manager it is what comes before the first slash of the user agent. */
function managerOf(userAgent: string): string {
  const slash = userAgent.indexOf('/');
  return (slash < 0 ? userAgent : userAgent.slice(0, slash)).slice(0, MAX_MANAGER) || 'unknown';
}
