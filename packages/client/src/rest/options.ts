export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends RequestOptions {
  readonly resourceVersion?: string | undefined;
}

export interface ListOptions extends RequestOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  /** '0': whatever the server has cached. Absent: the latest. */
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export interface WriteOptions extends RequestOptions {
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean | undefined;
  readonly subresource?: string | undefined;
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface DeleteOptions extends RequestOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: boolean | undefined;
}

export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = keyof typeof PATCH_TYPES;

type QueryValue = string | number | boolean | undefined;

/** Encodes what is set; '' and undefined are left out. */
export function encodeQuery(query: Readonly<Record<string, QueryValue>>): string {
  let out = '';
  for (const key in query) {
    const value = query[key];
    if (value === undefined || value === '') continue;
    out += `${out === '' ? '' : '&'}${key}=${encodeURIComponent(value)}`;
  }
  return out;
}

export const listQuery = (o: ListOptions) => ({
  labelSelector: o.labelSelector,
  fieldSelector: o.fieldSelector,
  limit: o.limit,
  continue: o.continue,
  resourceVersion: o.resourceVersion,
  resourceVersionMatch: o.resourceVersionMatch,
});

export const writeQuery = (o: WriteOptions) => ({
  fieldManager: o.fieldManager,
  dryRun: o.dryRun ? 'All' : undefined,
  fieldValidation: o.fieldValidation,
});
