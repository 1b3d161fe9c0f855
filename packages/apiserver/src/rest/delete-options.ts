import type { FieldError } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { queryInteger } from '../request/query.js';
import type { RequestContext } from '../request/request-context.js';
import { decodeBody } from '../request/decode-body.js';
import { parseDryRun } from './write-options.js';

export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun: boolean;
}

interface Raw {
  kind?: unknown;
  gracePeriodSeconds?: unknown;
  propagationPolicy?: unknown;
  orphanDependents?: unknown;
  preconditions?: unknown;
  dryRun?: unknown;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** From the body when there is one, else from the query. */
export async function parseDeleteOptions(context: RequestContext): Promise<DeleteOptions> {
  const body = await context.request.body();
  const raw: Raw = body.length > 0 ? (decodeBody(body, context.request.headers['content-type']).value as Raw) : fromQuery(context.query);
  return checkDeleteOptions(raw);
}

/** Also for the `deleteOptions` of an Eviction. */
export function checkDeleteOptions(raw: Raw): DeleteOptions {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw ApiError.badRequest('the body is not a DeleteOptions object');
  if (raw.kind !== undefined && raw.kind !== 'DeleteOptions' && raw.kind !== '')
    throw ApiError.badRequest(`the body is of kind ${JSON.stringify(raw.kind)}, not DeleteOptions`);
  const errors: FieldError[] = [];
  const policy = raw.propagationPolicy ?? undefined;
  if (policy !== undefined && (typeof policy !== 'string' || !POLICIES.includes(policy))) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    });
  }
  if (policy !== undefined && raw.orphanDependents !== undefined && raw.orphanDependents !== null) {
    errors.push({
      type: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (errors.length > 0) throw ApiError.invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const grace = raw.gracePeriodSeconds ?? undefined;
  if (grace !== undefined && (typeof grace !== 'number' || !Number.isSafeInteger(grace))) throw ApiError.badRequest('gracePeriodSeconds must be an integer');
  const preconditions = (raw.preconditions ?? {}) as { uid?: string; resourceVersion?: string };
  return {
    // A negative period means "now", as upstream takes it.
    gracePeriodSeconds: grace === undefined ? undefined : grace < 0 ? 1 : grace,
    propagationPolicy: policy as DeleteOptions['propagationPolicy'],
    orphanDependents: typeof raw.orphanDependents === 'boolean' ? raw.orphanDependents : undefined,
    preconditions: {
      ...(typeof preconditions.uid === 'string' ? { uid: preconditions.uid } : {}),
      ...(typeof preconditions.resourceVersion === 'string' ? { resourceVersion: preconditions.resourceVersion } : {}),
    },
    dryRun: parseDryRun(Array.isArray(raw.dryRun) ? raw.dryRun.map(String) : []),
  };
}

function fromQuery(query: URLSearchParams): Raw {
  if (query.size === 0) return {};
  return {
    gracePeriodSeconds: queryInteger(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    orphanDependents: query.has('orphanDependents') ? query.get('orphanDependents') === 'true' : undefined,
    dryRun: query.getAll('dryRun'),
    preconditions: {
      ...(query.has('preconditions.uid') ? { uid: query.get('preconditions.uid') } : {}),
      ...(query.has('preconditions.resourceVersion') ? { resourceVersion: query.get('preconditions.resourceVersion') } : {}),
    },
  };
}
