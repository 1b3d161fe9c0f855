import type { KubeObject } from '@coxswain/api';
import type { UserInfo } from '../auth.js';

/** Who asks, and until when it matters. */
export interface ApiCall {
  readonly user: UserInfo;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface ApiGetRequest extends ApiCall {
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * What a list selects. Selectors are applied to what the handler returns in any case; one that can do better by looking at them
 * itself may.
 */
export interface ApiListRequest extends ApiCall {
  /** '': all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** 0: no limit. A handler may ignore it and return everything. */
  readonly limit: number;
  /** What an earlier answer gave as `continue`; '' at the beginning. */
  readonly continue: string;
  /** '' or a decimal number. */
  readonly resourceVersion: string;
}

export interface ApiList<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  /** A decimal number that grows; where a watch goes on from. Default '0'. */
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface ApiWatchRequest extends ApiCall {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Events after this one are wanted; never ''. */
  readonly resourceVersion: string;
  readonly allowWatchBookmarks: boolean;
}

/** `object` carries its resourceVersion; for DELETED it is the last state. */
export interface ApiWatchEvent<T extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/**
 * The verbs of a kind whose objects are kept (or made up) elsewhere. The machinery does everything around them: decoding, defaults,
 * validation, admission, the four forms of patch, field management, selectors, tables, status codes. Offered verbs are those with a
 * handler; `patch` comes with `update`, `deletecollection` with `delete` and `list`.
 *
 * Errors: an ApiError is the answer; anything else is a 500.
 */
export interface ApiHandlers<T extends KubeObject = KubeObject> {
  /** Undefined: there is none (404). */
  get(request: ApiGetRequest): Promise<T | undefined> | T | undefined;
  list?(request: ApiListRequest): Promise<ApiList<T>> | ApiList<T>;
  /** Ends when the signal aborts. Throws ApiError.expired for a version it no longer knows: the client lists again. */
  watch?(request: ApiWatchRequest): AsyncIterable<ApiWatchEvent<T>>;
  /** Returns what is kept, with its resourceVersion; 'exists' when the name is taken. */
  create?(object: T, call: ApiCall): Promise<T | 'exists'> | T | 'exists';
  /** Replaces `old` as it was read; 'conflict' when it is no longer that: the machinery reads again. */
  update?(object: T, old: T, call: ApiCall): Promise<T | 'conflict'> | T | 'conflict';
  /** Removes `old` as it was read; 'conflict' as above. Finalizers and grace are the machinery's: this is the removal itself. */
  delete?(old: T, call: ApiCall): Promise<'deleted' | 'conflict'> | 'deleted' | 'conflict';
}

export interface ApiActionRequest<T extends KubeObject = KubeObject> extends ApiCall {
  /** The object the subresource is of. */
  readonly object: T;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly query: URLSearchParams;
  /** The decoded body; undefined when there is none. */
  readonly body: unknown;
}

/** A subresource with rules of its own: `POST things/x/restart`. */
export interface ApiAction<T extends KubeObject = KubeObject> {
  /** The last part of the path. */
  readonly name: string;
  readonly methods: readonly ApiActionRequest['method'][];
  /** Kind of the answer, for discovery. Default: the kind's own. */
  readonly kind?: string;
  /** Returns the answer: an object of any kind. */
  handle(request: ApiActionRequest<T>): Promise<object> | object;
}
